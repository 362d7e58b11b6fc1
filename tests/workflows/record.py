"""`python -m tests.workflows.record`: records the golden histories anew, on the local host's virtual clock.

Only after a change that is meant to break running instances; those must have ended, or been given a new name, before.
"""

# pyright: reportPrivateUsage=false
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from localhost import HostOptions, LocalHost
from shared.contracts import inspections, sweep
from shared.contracts.seeding import CANCELLED, COMMITTED, PROGRESSED, ProgressMade, SeedingCancelled, SnapshotCommitted
from shared.domain.ids import DeviceId, SessionId
from shared.domain.inspections import InspectionKind
from shared.domain.seeding import Progress
from tests.workflows import golden
from tests.workflows.nights import FAILING, SWEPT
from tests.workflows.watched import APP, Host, Watched

START = datetime(2026, 3, 1, tzinfo=UTC)
SNAPSHOT = SessionId.make(START, bytes(10))


def expired(watched: Watched) -> None:
    watched.live(14.01)


def seeded(watched: Watched) -> None:
    watched.live(2)
    watched.tell(PROGRESSED, ProgressMade(Progress(10, 100)))
    watched.live(4)
    watched.tell(PROGRESSED, ProgressMade(Progress(90, 100)))
    watched.tell(COMMITTED, SnapshotCommitted(SNAPSHOT))


def cancelled(watched: Watched) -> None:
    watched.live(1.5)
    watched.tell(CANCELLED, SeedingCancelled("anna"))


def found(watched: Watched) -> None:
    watched.live(5)
    watched.find(SNAPSHOT)
    watched.live(3)


STORIES: tuple[Callable[[Watched], None], ...] = (expired, seeded, cancelled, found)
NIGHTS = (
    *("sweep_all-night", "sweep_account-swept", "sweep_account-failing"),
    *("inspect_all-round", "inspect_account-whole", "inspect_account-failing"),
)


def nights(now: datetime) -> dict[str, str]:
    """The instances that the timers start first after `now`, by the names of their histories."""
    night = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    sunday = night + timedelta(days=6 - night.weekday())
    swept, looked = sweep.instance_of_night, inspections.instance_of
    instances = (
        *(swept(night), swept(night, SWEPT.account), swept(night, FAILING.account)),
        *(looked(InspectionKind.RECONCILE, sunday, each) for each in (None, SWEPT.account, FAILING.account)),
    )
    return dict(zip(NIGHTS, instances, strict=True))


def main() -> None:
    with LocalHost(HostOptions(APP, virtual_clock=True)) as host:
        instances = cast("Any", host.engine)._backend._instances
        for number, story in enumerate(STORIES):
            watched = Watched(Host(host.url), DeviceId.make(START, number.to_bytes(10)))
            watched.start()
            story(watched)
            golden.write(f"seed_device-{story.__name__}", instances[watched.instance].history)
        found = nights(host.clock.now())
        host.advance(timedelta(days=8))
        for name, instance in found.items():
            golden.write(name, instances[instance].history)


if __name__ == "__main__":
    main()
