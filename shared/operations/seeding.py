"""A device's first backup: its record, and the workflow that watches over it (N8)."""

import logging
from dataclasses import dataclass, replace

from shared.contracts.seeding import (
    CANCELLED,
    COMMITTED,
    PROGRESSED,
    CloseSeeding,
    CustomerReminded,
    LookForSnapshot,
    ProgressMade,
    RemindCustomer,
    SeedDevice,
    SeedingCancelled,
    SeedingClosed,
    SeedingStatus,
    SnapshotCommitted,
    SnapshotFound,
    instance_of,
    seed_device,
)
from shared.domain.commits import Snapshot
from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.seeding import Progress, Seeding, SeedingState
from shared.domain.tenancy import DeviceCaller
from shared.durable.engine import Engine
from shared.operations import devices
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Stored

_LOG = logging.getLogger("hort.seeding")


@dataclass(frozen=True, slots=True)
class SeedingSeen:
    seeding: Seeding
    status: SeedingStatus | None
    """What the workflow tells, while it runs."""


def begin(services: Services, engine: Engine, device: DeviceCaller, session: SessionId) -> None:
    """Watch over this device's backups until the first one is there. Repeating it is no fault."""
    if devices.get(services, device.account, device.id).value.last_snapshot_at is not None:
        return
    # Row before workflow: a crash here leaves a row that says what should run, and the next session starts it.
    seeding = _waiting(services, device, session)
    watch = SeedDevice(device.account, device.id, heard_at=seeding.heard_at)
    if not engine.start(seed_device, watch, instance_id=instance_of(device.id)):
        tell_progress(services, engine, device, Progress())  # a new session is a sign of life


def tell_progress(services: Services, engine: Engine, device: DeviceCaller, progress: Progress) -> None:
    if _is_waiting(services, device.account, device.id):
        engine.tell(PROGRESSED, ProgressMade(progress), instance_id=instance_of(device.id))


def tell_committed(services: Services, engine: Engine, snapshot: Snapshot) -> None:
    """Ends the watch; one that had just given up is put right."""
    if _is_waiting(services, snapshot.account, snapshot.device):
        engine.tell(COMMITTED, SnapshotCommitted(snapshot.id), instance_id=instance_of(snapshot.device))
    else:
        until_unchanged(lambda: _put_right(services, snapshot))


def cancel(services: Services, engine: Engine, account: AccountId, device: DeviceId, by: str) -> SeedingSeen:
    seen = see(services, engine, account, device)
    if seen.seeding.state is not SeedingState.WAITING:
        raise Conflict(f"the first backup of device {device} is {seen.seeding.state} already")
    engine.tell(CANCELLED, SeedingCancelled(by), instance_id=instance_of(device))
    return seen


def see(services: Services, engine: Engine, account: AccountId, device: DeviceId) -> SeedingSeen:
    seeding = _get(services, account, device).value
    return SeedingSeen(seeding, engine.status(SeedingStatus, instance_id=instance_of(device)))


def look_for_snapshot(services: Services, order: LookForSnapshot) -> SnapshotFound:
    snapshots = services.vaults.snapshots(order.account)
    return SnapshotFound(next((s.id for s in snapshots if s.device == order.device), None))


def remind_customer(services: Services, order: RemindCustomer) -> CustomerReminded:
    """Books the reminder on the row, where the status shows it. Twice is once: it sets what it would count to."""

    def attempt() -> CustomerReminded:
        old = _get(services, order.account, order.device)
        new_silence = order.silent_since > old.value.heard_at
        reminders = order.number if new_silence else max(old.value.reminders, order.number)
        services.seedings.replace(
            old, replace(old.value, heard_at=max(old.value.heard_at, order.silent_since), reminders=reminders)
        )
        return CustomerReminded(reminders)

    _LOG.warning("first backup of device %s: silent since %s", order.device, order.silent_since.isoformat())
    return until_unchanged(attempt)


def close_seeding(services: Services, order: CloseSeeding) -> SeedingClosed:
    """Idempotent: what is closed stays as it was closed. A snapshot that came at the last moment wins."""

    def attempt() -> SeedingClosed:
        old = _get(services, order.account, order.device)
        if old.value.state is SeedingState.WAITING:
            state = _last_look(services, order)
            services.seedings.replace(old, replace(old.value, state=state, ended_at=order.at))
            return SeedingClosed(state)
        return SeedingClosed(old.value.state)

    return until_unchanged(attempt)


def _last_look(services: Services, order: CloseSeeding) -> SeedingState:
    found = look_for_snapshot(services, LookForSnapshot(order.account, order.device))
    return order.state if found.snapshot is None else SeedingState.SEEDED


def _waiting(services: Services, device: DeviceCaller, session: SessionId) -> Seeding:
    """The row that says `waiting`: a new one, the one that is there, or a given-up one taken up again."""
    now = services.now()
    fresh = Seeding(
        account=device.account,
        device=device.id,
        customer=device.customer,
        state=SeedingState.WAITING,
        started_at=now,
        heard_at=now,
        session=session,
    )
    try:
        return services.seedings.insert(fresh).value
    except AlreadyThere:
        return until_unchanged(lambda: _taken_up(services, fresh))


def _taken_up(services: Services, fresh: Seeding) -> Seeding:
    old = _get(services, fresh.account, fresh.device)
    if old.value.state is SeedingState.WAITING:
        # A new session is a sign of life: a watch that got lost and starts again counts its silence from here.
        alive = replace(old.value, heard_at=fresh.heard_at, session=fresh.session)
        return services.seedings.replace(old, alive).value
    return services.seedings.replace(old, fresh).value


def _put_right(services: Services, snapshot: Snapshot) -> None:
    stored = services.seedings.get(snapshot.account, snapshot.device)
    if stored is not None and stored.value.state is not SeedingState.SEEDED:
        seeded = replace(stored.value, state=SeedingState.SEEDED, ended_at=snapshot.committed_at)
        services.seedings.replace(stored, seeded)


def _is_waiting(services: Services, account: AccountId, device: DeviceId) -> bool:
    stored = services.seedings.get(account, device)
    return stored is not None and stored.value.state is SeedingState.WAITING


def _get(services: Services, account: AccountId, device: DeviceId) -> Stored[Seeding]:
    stored = services.seedings.get(account, device)
    if stored is None:
        raise NotFound(f"device {device} has not begun its first backup")
    return stored
