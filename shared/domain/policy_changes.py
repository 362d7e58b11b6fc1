"""How an account's policy changes: what keeps less waits a day and can be called off, what keeps more acts at once."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.errors import Conflict
from shared.domain.ids import AccountId, UserId
from shared.domain.retention import Policies, is_shortening

SHORTENING_WAITS = timedelta(hours=24)
"""Long enough that an administrator whose password was stolen can notice."""


class ConfirmationNeeded(Conflict):
    """Snapshots might be kept less long: that wants the account's name a second time."""


@dataclass(frozen=True, slots=True)
class PendingChange:
    policies: Policies
    by: UserId
    asked_at: datetime
    in_force_at: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """An account's policies, and the shortening that waits; who has none has the default (N3)."""

    account: AccountId
    policies: Policies = field(default_factory=Policies)
    changed_at: datetime | None = None
    changed_by: UserId | None = None
    pending: PendingChange | None = None


def policy_in_force(row: Retention | None, now: datetime) -> Policies:
    """No timer brings a pending change into force: whoever judges asks what holds at that time."""
    return Policies() if row is None else settled(row, now).policies


def settled(row: Retention, now: datetime) -> Retention:
    """The row as it is to be understood at this time: a change whose wait is over is the policy."""
    change = row.pending
    if change is None or now < change.in_force_at:
        return row
    return Retention(row.account, change.policies, change.in_force_at, change.by)


def changed(row: Retention, policies: Policies, by: UserId, now: datetime) -> Retention:
    """The last word counts: it takes the place of a change that still waits. Asked twice it does not wait anew."""
    current = settled(row, now)
    if policies == (current.pending.policies if current.pending else current.policies):
        return current
    if is_shortening(current.policies, policies):
        return replace(current, pending=PendingChange(policies, by, now, now + SHORTENING_WAITS))
    return Retention(row.account, policies, now, by)


def called_off(row: Retention, now: datetime) -> Retention:
    """Raises `Conflict` when nothing waits."""
    current = settled(row, now)
    if current.pending is None:
        raise Conflict("no change of the policy is pending")
    return replace(current, pending=None)
