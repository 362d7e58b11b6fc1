"""Wrong passwords are counted before they are looked at, so that a hundred at once are a hundred tries."""

import hashlib
from collections.abc import Callable

from shared.domain.ids import DeviceId
from shared.domain.lockout import FREE_FOR_ADDRESS, FREE_FOR_USER, Tally, cleared, counted, forgiven, origin, tried
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed
from shared.storage.users import TALLY_ROW


def count_try(services: Services, login: str, address: str | None) -> int:
    """How many in a row it is, with this try for `login`, which may be anything, from `address`, if known.

    Raises `LockedOut`.
    """
    now = services.now()
    # Address before user: an address that is shut out must not shut out the users it tries.
    if address is not None:
        _change(services, _from(address), lambda tally: tried(tally, FREE_FOR_ADDRESS, now))
    return _change(services, _of(login), lambda tally: tried(tally, FREE_FOR_USER, now)).failures


def take_back(services: Services, login: str, address: str | None) -> None:
    """The try was not heard at all."""
    _change(services, _of(login), forgiven)
    if address is not None:
        _change(services, _from(address), forgiven)


def count_refusal(services: Services, device: DeviceId) -> int:
    """How often this device was refused in a row, with this time."""
    return _change(services, f"device-{device}", lambda tally: counted(tally, services.now())).failures


def it_was_right(services: Services, login: str, address: str | None) -> None:
    """The user starts anew; the address only gets this try back, or one's own log-ins would pay for guesses."""
    _change(services, _of(login), cleared)
    if address is not None:
        _change(services, _from(address), forgiven)


def _change(services: Services, subject: str, step: Callable[[Tally], Tally]) -> Tally:
    def attempt() -> Tally:
        old = services.tallies.get(subject, TALLY_ROW)
        new = step(old.value if old else Tally(subject, 0, services.now()))
        if old is not None:
            return services.tallies.replace(old, new).value
        try:
            return services.tallies.insert(new).value
        except AlreadyThere:
            raise Changed("another try was counted first") from None

    return until_unchanged(attempt)


def _of(login: str) -> str:
    """Hashed: what is typed into the field may be a password, and need not be fit for a key."""
    return f"login-{hashlib.sha256(login.encode(errors='replace')).hexdigest()}"


def _from(address: str) -> str:
    return f"address-{hashlib.sha256(origin(address).encode(errors='replace')).hexdigest()}"
