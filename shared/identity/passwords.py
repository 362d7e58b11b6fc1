"""Users' passwords: Argon2id, RFC 9106's second recommended option (64 MiB, 3 passes, 4 lanes)."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Checked when there is no such user, so that both answers take as long."""
_WORD = "abcdefghjkmnpqrstuvwxyz23456789"


def fresh_password() -> str:
    """20 characters in groups of five, about 99 bits, without the characters that are easily misread."""
    return "-".join("".join(secrets.choice(_WORD) for _ in range(5)) for _ in range(4))


def hash_password(password: str) -> str:
    return _HASHER.hash(_as_typed_anywhere(password))


def is_right(password: str, password_hash: str | None) -> bool:
    try:
        return _HASHER.verify(password_hash or _NOBODY, _as_typed_anywhere(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _as_typed_anywhere(password: str) -> str:
    """Keyboards and systems spell the same letters with other code points (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
