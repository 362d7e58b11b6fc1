"""The engine alone: commit before reply and before work, a full disk, clean ends."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest

from localhost import clock as host_clock
from localhost.backend import Backend
from localhost.calls import LOCAL_CALL
from localhost.clock import Clock
from localhost.engine import Engine, NotSettledError
from localhost.journal import Change, Journal
from localhost.ledger import INSTANCE


class Bench:
    """A backend and its engine, with a worker that only notes what it is given."""

    def __init__(self, path: Path) -> None:
        clock = Clock(virtual=True)
        host_clock.install(clock)
        self.path, self.journal = path, Journal(path)
        self.backend = Backend(clock)
        self.handed: list[pb.WorkItem] = []
        self.on_disk_when_handed: list[set[str]] = []
        self.engine = Engine(self.backend, self.journal, self._take)
        self.engine.start()

    def _take(self, items: Sequence[pb.WorkItem]) -> None:
        self.on_disk_when_handed.append(self.stored())
        self.handed.extend(items)

    def stored(self) -> set[str]:
        """What another process would find on disk now."""
        journal = Journal(self.path)
        try:
            return {stored.id for stored in journal.read(INSTANCE)}
        finally:
            journal.close()

    def start(self, id_: str, size_bytes: int = 0) -> None:
        request = pb.CreateInstanceRequest(instanceId=id_, name="any")
        request.input.value = "x" * size_bytes
        self.backend.StartInstance(request, LOCAL_CALL)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "durable.sqlite")
    yield made
    made.engine.stop(grace_seconds=0)


def test_work_is_handed_over_only_when_it_is_on_disk(bench: Bench) -> None:
    for n in range(20):
        bench.start(f"job{n}")
    bench.backend.wait_committed(5)
    while len(bench.handed) < 20:
        threading.Event().wait(0.001)
    for n, item in enumerate(bench.handed):
        assert item.orchestratorRequest.instanceId == f"job{n}"
    handed = {item.orchestratorRequest.instanceId for item in bench.handed}
    assert handed <= bench.on_disk_when_handed[-1]
    assert bench.on_disk_when_handed[0] != set()


def test_settling_says_so_when_what_is_waited_for_cannot_come(bench: Bench) -> None:
    with pytest.raises(NotSettledError, match="no timer is left"):
        bench.engine.settle(lambda: False)


def test_settling_says_so_when_work_does_not_end(bench: Bench) -> None:
    bench.start("never answered")
    with pytest.raises(NotSettledError, match="still running"):
        bench.engine.settle(timeout_seconds=0.2)


def test_alarms_ring_in_order_and_at_their_time(bench: Bench) -> None:
    began, rung = bench.backend.clock.now(), list[tuple[int, int]]()

    def ring(hours: int) -> None:
        lateness = bench.backend.clock.now() - began - timedelta(hours=hours)
        rung.append((hours, int(lateness.total_seconds())))

    for hours in (3, 1, 2):
        bench.backend.set_alarm(began + timedelta(hours=hours), partial(ring, hours))
    bench.engine.advance_to(began + timedelta(hours=2, minutes=30))
    assert rung == [(1, 0), (2, 0)]


def test_a_real_clock_refuses_to_be_moved() -> None:
    clock = Clock()
    with pytest.raises(RuntimeError, match="virtual"):
        clock.move_to(clock.now())


def test_a_commit_writes_all_or_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal.commit([Change("kind", "kept", b"1", inbox_added=[(1, b"event")])])
    with pytest.raises(Exception, match="UNIQUE"):
        journal.commit([Change("kind", "lost", b"2"), Change("kind", "kept", b"3", inbox_added=[(1, b"again")])])
    journal.close()
    again = Journal(tmp_path / "j.sqlite")
    assert [(s.id, s.body, s.inbox) for s in again.read("kind")] == [("kept", b"1", [(1, b"event")])]
    again.close()
