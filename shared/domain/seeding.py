"""A device's first backup: how long we wait for it, and when we remind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.ids import AccountId, CustomerId, DeviceId, SessionId


class SeedingState(StrEnum):
    WAITING = "waiting"
    SEEDED = "seeded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


PATIENCE = timedelta(days=14)
"""Silence after which a first backup counts as given up; every sign of life starts it anew."""
REMIND_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""Silence after which the customer is reminded."""


@dataclass(frozen=True, slots=True)
class Progress:
    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seeding:
    """The record of one first backup; the row is the truth, the workflow is a convenience."""

    account: AccountId
    device: DeviceId
    customer: CustomerId
    state: SeedingState
    started_at: datetime
    heard_at: datetime
    session: SessionId | None = None
    reminders: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Remind:
    number: int
    """Counts from 1 since the last sign of life."""


@dataclass(frozen=True, slots=True)
class Expire:
    reason: str


def next_step(heard_at: datetime, reminded: int, now: datetime) -> Wait | Remind | Expire:
    """What to do at `now`, when the last sign of life came at `heard_at` and `reminded` reminders went out since."""
    if now >= heard_at + PATIENCE:
        return Expire(f"nothing was heard for {PATIENCE.days} days")
    if reminded < len(REMIND_AFTER):
        due = heard_at + REMIND_AFTER[reminded]
        return Remind(reminded + 1) if now >= due else Wait(due)
    return Wait(heard_at + PATIENCE)
