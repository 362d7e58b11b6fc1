"""Wrong passwords are counted before they are looked at, so that a hundred at once are a hundred tries."""

import hashlib
from collections.abc import Callable

from shared.domain.lockout import FREE_FOR_ADDRESS, FREE_FOR_USER, Tally, cleared, forgiven, origin, tried
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed
from shared.storage.users import TALLY_ROW


def count_try(services: Services, login: str, address: str | None) -> None:
    """A try for `login`, which may be anything, from `address`, if known. Raises `LockedOut`."""
    now = services.now()
    # Address before user: an address that is shut out must not shut out the users it tries.
    if address is not None:
        _change(services, _from(address), lambda tally: tried(tally, FREE_FOR_ADDRESS, now))
    _change(services, _of(login), lambda tally: tried(tally, FREE_FOR_USER, now))


def it_was_right(services: Services, login: str, address: str | None) -> None:
    """The user starts anew; the address only gets this try back, or one's own log-ins would pay for guesses."""
    _change(services, _of(login), cleared)
    if address is not None:
        _change(services, _from(address), forgiven)


def _change(services: Services, subject: str, step: Callable[[Tally], Tally]) -> None:
    def attempt() -> None:
        old = services.tallies.get(subject, TALLY_ROW)
        new = step(old.value if old else Tally(subject, 0, services.now()))
        if old is not None:
            services.tallies.replace(old, new)
            return
        try:
            services.tallies.insert(new)
        except AlreadyThere:
            raise Changed("another try was counted first") from None

    until_unchanged(attempt)


def _of(login: str) -> str:
    """Hashed: what is typed into the field may be a password, and need not be fit for a key."""
    return f"login-{hashlib.sha256(login.encode(errors='replace')).hexdigest()}"


def _from(address: str) -> str:
    return f"address-{hashlib.sha256(origin(address).encode(errors='replace')).hexdigest()}"
