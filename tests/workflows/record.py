"""`python -m tests.workflows.record`: records the golden histories anew, on the local host's virtual clock.

Only after a change that is meant to break running instances; those must have ended, or been given a new name, before.
"""

# pyright: reportPrivateUsage=false
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from localhost import HostOptions, LocalHost
from shared.contracts.seeding import CANCELLED, COMMITTED, PROGRESSED, ProgressMade, SeedingCancelled, SnapshotCommitted
from shared.domain.ids import DeviceId, SessionId
from shared.domain.seeding import Progress
from tests.workflows import golden
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


def main() -> None:
    with LocalHost(HostOptions(APP, virtual_clock=True)) as host:
        for number, story in enumerate(STORIES):
            watched = Watched(Host(host.url), DeviceId.make(START, number.to_bytes(10)))
            watched.start()
            story(watched)
            backend = cast("Any", host.engine)._backend
            golden.write(f"seed_device-{story.__name__}", backend._instances[watched.instance].history)


if __name__ == "__main__":
    main()
