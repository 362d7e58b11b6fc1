"""The bridge from Microsoft's in-memory Durable Task backend to the host's clock, alarms and journal.

The stock backend keeps all state in memory, sleeps in one thread a timer and reads the machine's clock. Here every
change is noted, the engine's one thread commits what was noted, and nothing that depends on it leaves before.
"""

import sys
import threading
from datetime import datetime, tzinfo
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing import in_memory_backend as stock

from localhost import clock as host_clock
from localhost.alarms import Alarms
from localhost.clock import Clock
from localhost.journal import Change
from localhost.ledger import Ledger


class _HostTime(datetime):
    """`datetime` as the stock backend's module sees it: the same type, the host's clock."""

    @classmethod
    @override
    def now(cls, tz: tzinfo | None = None) -> datetime:  # pyright: ignore[reportIncompatibleMethodOverride]
        return host_clock.now().astimezone(tz)


class NotCommittedError(Exception):
    """The change is in memory but could not be written in time: nothing was acknowledged, and it may yet be written."""


class CoreBackend(stock.InMemoryOrchestrationBackend):
    """Notes what changed; knows what is committed. All methods that begin with an underscore want the lock held."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(max_history_size=sys.maxsize, port=0)
        stock.datetime = _HostTime  # pyright: ignore[reportPrivateImportUsage]
        self.clock = clock
        self.alarms = Alarms()
        self.ledger = Ledger()
        self.changed = threading.Condition(self._lock)
        self.settled = threading.Condition(self._lock)
        self._dirty: set[str] = set()
        self._notes: dict[tuple[str, str], bytes | None] = {}
        self._changes = self._committed = 0
        self.broken = False

    def note(self, kind: str, id_: str, body: bytes | None) -> None:
        """Writes (None: deletes) a small record of another kind with the next commit."""
        with self._lock:
            self._notes[kind, id_] = body
            self._wake()

    def wait_committed(self, timeout_seconds: float = 30) -> None:
        """Returns when all that was changed up to now is on disk.

        Raises NotCommittedError after the timeout, or as soon as it is clear that it will not be written.
        """
        with self._lock:
            wanted = self._changes
            self.settled.wait_for(lambda: self.broken or self._committed >= wanted, timeout_seconds)
            if self._committed < wanted:
                raise NotCommittedError("the state could not be written to disk")

    def give_up(self) -> None:
        """Nothing will be committed any more: the engine has ended."""
        with self._lock:
            self.broken = True
            self.settled.notify_all()

    def _touch(self, id_: str) -> None:
        self._dirty.add(id_)
        self._wake()

    def _wake(self) -> None:
        self._changes += 1
        self.changed.notify_all()

    def _token(self) -> int:
        self._next_completion_token += 1
        return self._next_completion_token - 1

    def _collect_changes(self) -> list[Change]:
        """What the next commit writes; everything noted so far is in it."""
        dirty, self._dirty = self._dirty, set()
        notes, self._notes = self._notes, {}
        small = [Change(kind, id_, body, history_from=1) for (kind, id_), body in notes.items()]
        return [*(self._change_of(id_) for id_ in dirty), *small]

    def _change_of(self, id_: str) -> Change:
        if entity := self._entities.get(id_):
            return self.ledger.of_entity(entity)
        if instance := self._instances.get(id_):
            return self.ledger.of_instance(instance, self._inbox_of(instance), self.clock.now())
        return self.ledger.of_removed(id_)

    def _inbox_of(self, instance: stock.OrchestrationInstance) -> list[pb.HistoryEvent]:
        return [*instance.dispatched_events, *instance.pending_events]

    @override
    def _enqueue_orchestration(self, instance_id: str) -> None:
        self._touch(instance_id)
        super()._enqueue_orchestration(instance_id)

    @override
    def _enqueue_entity(self, entity_id: str) -> None:
        self._touch(entity_id)
        super()._enqueue_entity(entity_id)
