"""What people do to a snapshot: hold it, pin it, take it back; whatever the policy says."""

from dataclasses import replace
from datetime import datetime

from shared.domain.commits import Hold, Snapshot
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.ids import HoldId

MAX_HOLDS = 20
"""They all live in the snapshot's one row."""


class SnapshotExpired(Conflict):
    """No rule keeps it any more: it is not restored, and until its grace is over it can be taken back."""


def refuse_if_expired(snapshot: Snapshot) -> None:
    if snapshot.expired_at is not None:
        until = f"{snapshot.take_back_until:%Y-%m-%d %H:%M} UTC"
        raise SnapshotExpired(f"snapshot {snapshot.id} is expired; it can be taken back until {until}")


def pinned(snapshot: Snapshot) -> Snapshot:
    """Safe to repeat. Raises `SnapshotExpired`."""
    refuse_if_expired(snapshot)
    return replace(snapshot, pinned=True)


def unpinned(snapshot: Snapshot) -> Snapshot:
    """From here on the policy alone speaks for it. Safe to repeat."""
    return replace(snapshot, pinned=False)


def taken_back(snapshot: Snapshot, now: datetime) -> Snapshot:
    """Pinned, or the next sweep would find again that nothing keeps it. One that is not expired stays as it is."""
    if snapshot.expired_at is None:
        return snapshot
    return replace(_alive(snapshot, now), pinned=True)


def held(snapshot: Snapshot, hold: Hold) -> Snapshot:
    """Takes it back as well, while that is possible. Idempotent by the hold's identity."""
    if any(there.id == hold.id for there in snapshot.holds):
        return snapshot
    if len(snapshot.holds) >= MAX_HOLDS:
        raise Conflict(f"snapshot {snapshot.id} has {MAX_HOLDS} holds already")
    return replace(_alive(snapshot, hold.placed_at), holds=(*snapshot.holds, hold))


def released(snapshot: Snapshot, hold: HoldId, *, by_provider: bool) -> Snapshot:
    """Raises `Forbidden` for a customer who would release what the provider holds."""
    found = next((there for there in snapshot.holds if there.id == hold), None)
    if found is None:
        raise NotFound(f"there is no hold {hold}")
    if found.by_provider and not by_provider:
        raise Forbidden("the provider has placed this hold, and only the provider releases it")
    return replace(snapshot, holds=tuple(there for there in snapshot.holds if there.id != hold))


def _alive(snapshot: Snapshot, now: datetime) -> Snapshot:
    if snapshot.take_back_until is not None and now >= snapshot.take_back_until:
        raise SnapshotExpired(f"the time to take snapshot {snapshot.id} back is over")
    return replace(snapshot, expired_at=None)


def is_past_taking_back(snapshot: Snapshot, at: datetime) -> bool:
    """Whether an expired snapshot may go for ever."""
    stays = snapshot.pinned or snapshot.holds
    return snapshot.take_back_until is not None and at >= snapshot.take_back_until and not stays
