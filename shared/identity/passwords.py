"""Users' passwords: Argon2id, RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes)."""

import secrets
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from shared.domain.errors import HortError
from shared.domain.people import HASHES_AT_ONCE

LONGEST_WAIT_SECONDS = 0.5
"""A crowd is heard one after the other; a flood must not stop the threads that others need."""

_WORD = "abcdefghjkmnpqrstuvwxyz23456789"


def fresh_password() -> str:
    """20 characters in groups of five, about 99 bits, without the characters that are easily misread."""
    return "-".join("".join(secrets.choice(_WORD) for _ in range(5)) for _ in range(4))


class TooManyAtOnce(HortError):
    """As many hashes are being made as this process has memory for."""


class Passwords:
    """Makes hashes at this price, so many at once, and checks each at the price it was made for.

    Both raise `TooManyAtOnce`.
    """

    def __init__(self, price: Parameters = RFC_9106_LOW_MEMORY, at_once: int = HASHES_AT_ONCE) -> None:
        self._hasher = PasswordHasher.from_parameters(price)
        self._turns = BoundedSemaphore(at_once)
        # Checked when there is no such user, so that both answers take as long.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        with self._turn():
            return self._hasher.hash(_as_typed_anywhere(password))

    def is_right(self, password: str, password_hash: str | None) -> bool:
        """`None`: there is no such user."""
        known = password_hash is not None
        with self._turn():
            try:
                return self._hasher.verify(password_hash or self._nobody, _as_typed_anywhere(password)) and known
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _turn(self) -> Generator[None]:
        if not self._turns.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise TooManyAtOnce("too many people log in at this moment: try again in a second")
        try:
            yield
        finally:
            self._turns.release()


def _as_typed_anywhere(password: str) -> str:
    """Keyboards and systems spell the same letters with other code points (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
