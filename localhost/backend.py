"""The durable backend as the engine sees it: batches out, completions in, state read back, idle or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import PendingLockRequest

from localhost import ledger
from localhost.entities import LOCK, SIGNAL
from localhost.journal import Change, Journal
from localhost.orchestrations import OrchestrationBackend

MAX_WAIT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Batch:
    """One turn of the engine: commit `changes`, then hand over `items`; all changes up to number `upto` are in it."""

    changes: Sequence[Change]
    items: Sequence[pb.WorkItem]
    upto: int


class Backend(OrchestrationBackend):
    """The whole backend. Its public methods take the lock themselves."""

    _woken = _interrupted = _paused = _closed = False
    _busy = 0

    def _wake(self) -> None:
        self._woken = True
        super()._wake()

    def next_batch(self) -> Batch | None:
        """Waits until there is something to do; None when the backend is closed and all was handed out."""
        with self._lock:
            while not (self._woken or self._alarm_is_due() or self._closed):
                self.changed.wait(self._seconds_to_next_alarm())
            if self._closed and not self._woken:
                return None
            self._woken = False
            if not self._paused:
                self.alarms.ring_due(self.clock.now())
            items = [] if self._paused else self._take()
            return Batch(self._collect_changes(), items, self._changes)

    def _take(self) -> list[pb.WorkItem]:
        return [*self._take_activities(), *self._take_orchestrations(), *self._take_entities()]

    def committed(self, upto: int) -> None:
        with self._lock:
            self._committed = upto
            self.settled.notify_all()

    def _alarm_is_due(self) -> bool:
        due = self.alarms.next_due()
        return due is not None and due <= self.clock.now() and not self._paused

    def _seconds_to_next_alarm(self) -> float:
        due = self.alarms.next_due()
        if due is None or self._paused:
            return MAX_WAIT_SECONDS
        return min(MAX_WAIT_SECONDS, max(0.0, (due - self.clock.now()).total_seconds()))

    # --- idle or not

    def enter(self) -> None:
        """Work outside the backend began (a timer function runs): not idle until `leave`."""
        with self._lock:
            self._busy += 1

    def leave(self) -> None:
        with self._lock:
            self._busy -= 1
            self._wake()

    def wait_idle(self, timeout_seconds: float) -> bool:
        """True once nothing runs or could run now and all is on disk; False after the timeout or `interrupt`."""
        with self._lock:
            self.settled.wait_for(lambda: self._interrupted or self._is_idle(), timeout_seconds)
            return self._is_idle() and not self._interrupted

    def wait_drained(self, timeout_seconds: float) -> bool:
        """True once nothing that was handed out is still running; False after the timeout."""
        with self._lock:
            return self.settled.wait_for(lambda: not self._runs(), timeout_seconds)

    def _runs(self) -> bool:
        return bool(self._running or self._orchestration_in_flight or self._entity_in_flight or self._busy)

    def _is_idle(self) -> bool:
        queued = self._activity_queue or self._orchestration_queue_set or self._entity_queue_set
        return not (queued or self._runs() or self._changes != self._committed or self._alarm_is_due())

    def set_alarm(self, when: datetime, ring: Callable[[], None]) -> None:
        """`ring` is called by the engine, with the lock held."""
        with self._lock:
            self.alarms.set(when, ring)
            self._wake()

    def next_alarm(self) -> datetime | None:
        with self._lock:
            return self.alarms.next_due()

    # --- life

    def interrupt(self) -> None:
        """Ends every `wait_idle`: the host is about to stop."""
        with self._lock:
            self._interrupted = True
            self.settled.notify_all()

    def pause(self) -> None:
        """Hands out nothing more; what runs may still complete."""
        with self._lock:
            self._paused = True
            self._wake()

    def close(self) -> None:
        """Ends the engine's loop after one last batch, and every call that still waits for an orchestration."""
        with self._lock:
            self._closed = True
            for waiter in [w for waiters in self._state_waiters.values() for w in waiters]:
                waiter.event.set()
            self._wake()

    def load(self, journal: Journal) -> None:
        """Reads the committed state back and sets in motion what was under way. Called once, before the engine runs."""
        with self._lock:
            self._load_locks(journal)
            for stored in journal.read(ledger.ENTITY):
                entity = ledger.read_entity(stored, self._token())
                self._entities[stored.id] = entity
                self.ledger.adopt(stored, entity, entity.pending_operations)
            for stored in journal.read(ledger.INSTANCE):
                instance = ledger.read_instance(stored, self._token())
                self._instances[stored.id] = instance
                self.ledger.adopt(stored, instance, instance.pending_events)
            self._resume()
            for stored in journal.read(SIGNAL):
                event = pb.HistoryEvent.FromString(stored.body)
                self._arm_signal(stored.id, event, event.entityOperationSignaled.scheduledTime.ToDatetime(UTC))
            self._wake()  # An instance may wait for an activity only: nothing else would call the engine.

    def _load_locks(self, journal: Journal) -> None:
        stored = [pb.EntityLockRequestedEvent.FromString(row.body) for row in journal.read(LOCK)]
        for lock in sorted(stored, key=lambda lock: lock.position):
            self._locks[lock.criticalSectionId] = lock
            self._next_completion_token = max(self._next_completion_token, lock.position + 1)

    def _resume(self) -> None:
        running = [i for i in self._instances.values() if not self._is_terminal_status(i.status)]
        for instance in running:
            self._rearm(instance)
        for instance in running:
            for event in instance.pending_events:
                if event.HasField("executionStarted") and event.executionStarted.HasField("scheduledStartTimestamp"):
                    when = event.executionStarted.scheduledStartTimestamp.ToDatetime(UTC)
                    self._hold_until(instance.instance_id, when)
            if instance.pending_events:
                self._enqueue_orchestration(instance.instance_id)
        for entity in self._entities.values():
            if entity.pending_operations:
                self._enqueue_entity(entity.instance_id)
        held = {entity.locked_by for entity in self._entities.values()}
        waiting = [lock for section, lock in self._locks.items() if section not in held]
        for lock in waiting:
            parent = lock.parentInstanceId.value
            self._try_grant_lock(PendingLockRequest(lock.criticalSectionId, parent, list(lock.lockSet)))
