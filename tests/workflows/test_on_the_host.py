"""The watch over a first backup on the local host, whose fourteen days pass in a moment (N8)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from shared.contracts.seeding import CANCELLED, COMMITTED, PROGRESSED, ProgressMade, SeedingCancelled, SnapshotCommitted
from shared.domain.ids import DeviceId, SessionId
from shared.domain.seeding import Progress
from tests.workflows.watched import Host, Watched, running_host

START = datetime(2026, 3, 1, tzinfo=UTC)
SNAPSHOT = SessionId.make(START, bytes(10))
_numbers = count()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host(tmp_path_factory.mktemp("watch")) as host:
        yield host


@pytest.fixture
def watched(host: Host) -> Watched:
    watched = Watched(host, DeviceId.make(START, next(_numbers).to_bytes(10)))
    watched.start()
    return watched


def test_a_silent_device_is_reminded_and_given_up_after_fourteen_days(watched: Watched) -> None:
    reminded = list[int]()
    for _ in range(13):
        watched.live(1)
        reminded.append(watched.status()["customStatus"]["reminded"])
    assert reminded == [1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3]
    watched.live(1.01)
    assert watched.status()["output"] == {"state": "expired", "reason": "nothing was heard for 14 days"}


def test_a_commit_ends_the_watch(watched: Watched) -> None:
    watched.live(2)
    watched.tell(COMMITTED, SnapshotCommitted(SNAPSHOT))
    assert watched.status()["output"] == {"state": "seeded", "reason": f"snapshot {SNAPSHOT} was committed"}


def test_a_cancellation_ends_the_watch_and_a_later_commit_disturbs_nobody(watched: Watched) -> None:
    watched.tell(CANCELLED, SeedingCancelled("anna"))
    watched.tell(COMMITTED, SnapshotCommitted(SNAPSHOT))
    assert watched.status()["output"]["state"] == "cancelled"


def test_a_commit_whose_event_was_lost_is_found(watched: Watched) -> None:
    watched.find(SNAPSHOT)
    watched.live(1.01)
    assert watched.status()["output"] == {"state": "seeded", "reason": f"snapshot {SNAPSHOT} was found"}


def test_a_second_start_changes_nothing_and_after_the_end_it_begins_anew(watched: Watched) -> None:
    watched.live(2)
    watched.start()
    assert watched.status()["customStatus"]["reminded"] == 1
    watched.tell(CANCELLED, SeedingCancelled("anna"))
    watched.start()
    assert watched.status()["runtimeStatus"] == "Running"
    assert watched.status()["customStatus"]["reminded"] == 0


def test_a_hundred_reports_of_progress_leave_a_short_history(watched: Watched) -> None:
    for done in range(1, 121):
        watched.tell(PROGRESSED, ProgressMade(Progress(done, 120)))
    assert watched.status()["customStatus"]["progress"] == {"done_bytes": 120, "total_bytes": 120}
    assert watched.history_length() < 120
    watched.live(13.9)
    assert watched.status()["runtimeStatus"] == "Running"
    watched.live(0.2)
    assert watched.status()["output"]["state"] == "expired"
