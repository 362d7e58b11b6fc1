"""A device's first backup, online: watched until it is there, given up or cancelled (N8)."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.seeding import Progress, SeedingState
from shared.durable.calls import ActivityCall, WorkflowCall
from shared.durable.events import Event


@dataclass(frozen=True, slots=True)
class SeedDevice:
    """Starts the watch, and carries its state from one run to the next."""

    account: AccountId
    device: DeviceId
    heard_at: datetime
    reminded: int = 0
    """Reminders since the last sign of life."""
    progress: Progress = Progress()


@dataclass(frozen=True, slots=True)
class SeedingEnded:
    state: SeedingState
    reason: str


@dataclass(frozen=True, slots=True)
class SeedingStatus:
    """The custom status, for people who ask how far it is."""

    progress: Progress
    next_step_at: datetime
    reminded: int


@dataclass(frozen=True, slots=True)
class SnapshotCommitted:
    snapshot: SessionId


@dataclass(frozen=True, slots=True)
class ProgressMade:
    progress: Progress


@dataclass(frozen=True, slots=True)
class SeedingCancelled:
    by: str


@dataclass(frozen=True, slots=True)
class LookForSnapshot:
    account: AccountId
    device: DeviceId


@dataclass(frozen=True, slots=True)
class SnapshotFound:
    snapshot: SessionId | None


@dataclass(frozen=True, slots=True)
class RemindCustomer:
    account: AccountId
    device: DeviceId
    number: int
    silent_since: datetime


@dataclass(frozen=True, slots=True)
class CustomerReminded:
    reminders: int
    """Since the last sign of life."""


@dataclass(frozen=True, slots=True)
class CloseSeeding:
    account: AccountId
    device: DeviceId
    state: SeedingState
    at: datetime


@dataclass(frozen=True, slots=True)
class SeedingClosed:
    state: SeedingState
    """What the row says in the end: a snapshot that came at the last moment wins."""


COMMITTED = Event("committed", SnapshotCommitted)
PROGRESSED = Event("progressed", ProgressMade)
CANCELLED = Event("cancelled", SeedingCancelled)

look_for_snapshot = ActivityCall("look_for_snapshot", LookForSnapshot, SnapshotFound)
remind_customer = ActivityCall("remind_customer", RemindCustomer, CustomerReminded)
close_seeding = ActivityCall("close_seeding", CloseSeeding, SeedingClosed)
seed_device = WorkflowCall("seed_device", SeedDevice, SeedingEnded)


def instance_of(device: DeviceId) -> str:
    """One watch a device: starting it twice is starting it once."""
    return f"seed-{device}"
