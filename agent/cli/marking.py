"""`hort pin`, `unpin`, `take-back`, `hold` and `release`: what people say of single snapshots."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from agent.cli.device import Device
from agent.cli.home import find_home, password
from agent.cli.output import Outcome
from agent.cli.remote import service_as
from agent.cli.vaults import only_one
from agent.service import Service
from shared.api import backups
from shared.api.retention import PlaceHold
from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, CustomerId, DeviceId, HoldId, SessionId


class Mark(StrEnum):
    """As the API's paths name it."""

    PIN = "pin"
    UNPIN = "unpin"
    TAKE_BACK = "take-back"


@dataclass(frozen=True, slots=True)
class HoldInfo:
    id: HoldId
    reason: str
    by_provider: bool
    """Then only the provider releases it."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The document of all of them: the snapshot as it stands now."""

    session: SessionId
    device: DeviceId
    committed_at: datetime
    take_back_until: datetime | None
    """Of an expired one."""
    pinned: bool
    holds: tuple[HoldInfo, ...]


@dataclass(frozen=True, slots=True)
class _Hands:
    """A person at the service, and the snapshot that is meant."""

    service: Service
    account: AccountId
    snapshot: backups.Snapshot

    @property
    def customer(self) -> CustomerId:
        """Who owns the account. Raises `NotFound`."""
        found = next((each for each in self.service.accounts() if each.id == self.account), None)
        if found is None:
            raise NotFound(f"there is no account {self.account}")
        return found.customer


def put(mark: Mark, snapshot: str, login: str, password_file: Path | None) -> Outcome[Marked]:
    hands = _hands(snapshot, login, password_file)
    return _outcome(hands.service.mark_snapshot(hands.account, hands.snapshot.id, mark))


def hold(snapshot: str, reason: str, login: str, password_file: Path | None) -> Outcome[Marked]:
    hands = _hands(snapshot, login, password_file)
    held = hands.service.place_hold(hands.customer, hands.account, hands.snapshot.id, PlaceHold(reason=reason))
    now = hands.service.snapshot(hands.account, hands.snapshot.id)
    assert any(each.id == held.id for each in now.holds), "the service has just said so"
    return _outcome(now)


def release(snapshot: str, hold: str, login: str, password_file: Path | None) -> Outcome[Marked]:
    hands = _hands(snapshot, login, password_file)
    found = only_one((each.id for each in hands.snapshot.holds), hold, "holds")
    return _outcome(hands.service.release_hold(hands.customer, hands.account, hands.snapshot.id, found))


def marked(snapshot: backups.Snapshot) -> Marked:
    return Marked(
        session=snapshot.id,
        device=snapshot.device,
        committed_at=snapshot.committed_at,
        take_back_until=snapshot.take_back_until,
        pinned=snapshot.pinned,
        holds=tuple(HoldInfo(each.id, each.reason, each.by_provider) for each in snapshot.holds),
    )


def mark_lines(now: Marked) -> Iterator[str]:
    """What keeps a snapshot, or lets it go, beside the policy."""
    if now.take_back_until is not None:
        yield f"expired, take back until {now.take_back_until:%Y-%m-%d %H:%M} UTC"
    if now.pinned:
        yield "pinned"
    for each in now.holds:
        yield f"held: {each.reason}" + (" (by the provider)" if each.by_provider else "")


def _hands(snapshot: str, login: str, password_file: Path | None) -> _Hands:
    device = Device.load(find_home())
    account = device.registration.account
    service = service_as(device, login, password(password_file, login))
    known = {each.id: each for each in service.snapshots(account)}
    return _Hands(service, account, known[only_one(known, snapshot)])


def _outcome(snapshot: backups.Snapshot) -> Outcome[Marked]:
    return Outcome(marked(snapshot), _lines)


def _lines(now: Marked) -> Iterator[str]:
    said = list(mark_lines(now))
    yield f"Snapshot {now.session}: {'; '.join(said) if said else 'the policy alone decides'}"
    yield from (f"Hold     {each.id}: {each.reason}" for each in now.holds)
