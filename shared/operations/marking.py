"""What people do to single snapshots: hold and release, pin and unpin, take back what is expired."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from shared.domain import marks
from shared.domain.commits import Hold, Snapshot
from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, HoldId, SessionId
from shared.domain.tenancy import UserCaller
from shared.operations import sessions
from shared.operations.contention import until_unchanged
from shared.services import Services


@dataclass(frozen=True, slots=True)
class Marked:
    """Which snapshot an order is about."""

    account: AccountId
    snapshot: SessionId


def hold(services: Services, order: Marked, hold: HoldId, reason: str, by: UserCaller) -> Snapshot:
    """It stays until the hold is released, whatever the policy says. Idempotent by the hold's identity."""
    placed = Hold(hold, reason, by.id, by_provider=by.customer is None, placed_at=services.now())
    return _mark(services, order, partial(marks.held, hold=placed))


def release(services: Services, order: Marked, hold: HoldId, by: UserCaller) -> Snapshot:
    """Raises `NotFound` for a hold that is not there, `Forbidden` for a provider's hold and a customer."""
    return _mark(services, order, partial(marks.released, hold=hold, by_provider=by.customer is None))


def pin(services: Services, order: Marked) -> Snapshot:
    return _mark(services, order, marks.pinned)


def unpin(services: Services, order: Marked) -> Snapshot:
    return _mark(services, order, marks.unpinned)


def take_back(services: Services, order: Marked) -> Snapshot:
    """Raises `SnapshotExpired` when the time for it is over."""
    return _mark(services, order, partial(marks.taken_back, now=services.now()))


def _mark(services: Services, order: Marked, change: Callable[[Snapshot], Snapshot]) -> Snapshot:
    def attempt() -> Snapshot:
        # State first: a sweep that would remove the snapshot meanwhile writes the same row.
        state = sessions.vault_state(services, order.account)
        stored = services.vaults.stored_snapshot(order.account, order.snapshot)
        if stored is None:
            raise NotFound(f"there is no snapshot {order.snapshot}")
        new = change(stored.value)
        if new != stored.value:
            services.vaults.mark(state, stored, new)
        return new

    return until_unchanged(attempt)
