"""Watches over a device's first backup: waits, reminds, and says how it ended."""

from dataclasses import replace

from shared.contracts.seeding import (
    CANCELLED,
    COMMITTED,
    PROGRESSED,
    CloseSeeding,
    LookForSnapshot,
    ProgressMade,
    RemindCustomer,
    SeedDevice,
    SeedingCancelled,
    SeedingEnded,
    SeedingStatus,
    SnapshotCommitted,
    close_seeding,
    look_for_snapshot,
    remind_customer,
)
from shared.contracts.seeding import seed_device as seed_device_call
from shared.domain.seeding import Expire, Remind, SeedingState, Wait, next_step
from shared.durable.calls import Context, Workflow
from shared.durable.clock import now
from shared.durable.events import TimedOut, first_of
from shared.durable.status import report

STEPS_A_RUN = 50
"""Every step costs a replay of all before it; after so many the watch starts over with a short history."""


def seed_device(ctx: Context, watch: SeedDevice) -> Workflow[SeedingEnded | None]:
    for _ in range(STEPS_A_RUN):
        match next_step(watch.heard_at, watch.reminded, now(ctx)):
            case Expire(reason):
                return (yield from _end(ctx, watch, SeedingState.EXPIRED, reason))
            case Remind(number):
                yield from remind_customer(ctx, RemindCustomer(watch.account, watch.device, number, watch.heard_at))
                watch = replace(watch, reminded=number)
            case Wait() as wait:
                outcome = yield from _wait(ctx, watch, wait)
                if isinstance(outcome, SeedingEnded):
                    return outcome
                watch = outcome
    seed_device_call.again(ctx, watch)
    return None


def _wait(ctx: Context, watch: SeedDevice, wait: Wait) -> Workflow[SeedDevice | SeedingEnded]:
    report(ctx, SeedingStatus(watch.progress, wait.until, watch.reminded), SeedingStatus)
    match (yield from first_of(ctx, (COMMITTED, CANCELLED, PROGRESSED), wait.until)):
        case SnapshotCommitted(snapshot):
            return (yield from _end(ctx, watch, SeedingState.SEEDED, f"snapshot {snapshot} was committed"))
        case SeedingCancelled(by):
            return (yield from _end(ctx, watch, SeedingState.CANCELLED, f"cancelled by {by}"))
        case ProgressMade(progress):
            return replace(watch, heard_at=now(ctx), reminded=0, progress=progress)
        case TimedOut():
            return (yield from _look(ctx, watch))


def _look(ctx: Context, watch: SeedDevice) -> Workflow[SeedDevice | SeedingEnded]:
    """The event may have been lost on its way; the table is the truth."""
    found = yield from look_for_snapshot(ctx, LookForSnapshot(watch.account, watch.device))
    if found.snapshot is None:
        return watch
    return (yield from _end(ctx, watch, SeedingState.SEEDED, f"snapshot {found.snapshot} was found"))


def _end(ctx: Context, watch: SeedDevice, state: SeedingState, reason: str) -> Workflow[SeedingEnded]:
    closed = yield from close_seeding(ctx, CloseSeeding(watch.account, watch.device, state, now(ctx)))
    if closed.state is not state:
        reason = f"a snapshot came before it was {state}"
    return SeedingEnded(closed.state, reason)
