"""The one thread that turns changes into commits, and only then into work."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import durabletask.internal.orchestrator_service_pb2 as pb

from localhost.backend import Backend
from localhost.clock import Clock
from localhost.journal import Change, Journal

log = logging.getLogger("localhost.engine")
CLOCK = "clock"
RETRY_SECONDS = 0.5
LAST_TRIES = 3


class NotSettledError(Exception):
    """The host did not become idle in the time given, or what was waited for cannot come."""


class Engine:
    """Collect, commit, hand over: a group commit. Whoever changes something is never more than one commit away."""

    def __init__(self, backend: Backend, journal: Journal, hand_over: Callable[[Sequence[pb.WorkItem]], None]) -> None:
        self._backend, self._journal, self._hand_over = backend, journal, hand_over
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def clock(self) -> Clock:
        return self._backend.clock

    def start(self) -> None:
        """The backend has read its state back; from here on only this thread uses the journal."""
        self._thread.start()

    def interrupt(self) -> None:
        """Ends what moves the clock; to be called before `stop`, and before HTTP stops."""
        self._backend.interrupt()

    def stop(self, grace_seconds: float) -> bool:
        """Lets what runs finish within the grace, commits the rest as it is. False: something still ran.

        What still ran is in the journal as not done: the next start runs it again.
        """
        self._backend.pause()
        drained = self._backend.wait_drained(grace_seconds)
        self._stopping = True
        self._backend.close()
        self._thread.join()
        self._backend.give_up()
        self._journal.close()
        return drained

    def _run(self) -> None:
        try:
            self._turn_over()
        except Exception:
            log.critical("the engine failed: nothing is acknowledged until the host is started again", exc_info=True)
            self._backend.give_up()

    def _turn_over(self) -> None:
        while (batch := self._backend.next_batch()) is not None:
            if not self._commit(batch.changes):
                self._backend.give_up()
                return
            self._backend.committed(batch.upto)
            if batch.items:
                self._hand_over(batch.items)  # Commit before work: a crash here runs it again, never without a trace.

    def _commit(self, changes: Sequence[Change]) -> bool:
        """Tries until it is written: on a full disk the host stands still and acknowledges nothing."""
        tries = 0
        while changes:
            try:
                self._journal.commit(changes)
                break
            except sqlite3.Error as error:
                log.critical("the state cannot be written: %s", error)
                tries += 1
            if self._stopping and tries >= LAST_TRIES:
                return False
            time.sleep(RETRY_SECONDS)
        return True

    # --- tests and the virtual clock

    def settle(self, until: Callable[[], bool] | None = None, timeout_seconds: float = 30) -> None:
        """Runs all work that is due; with `until`, jumps from timer to timer until it holds.

        Raises NotSettledError after the timeout (real time), or when no timer is left and `until` does not hold.
        """
        deadline = time.monotonic() + timeout_seconds
        self._run_due(deadline)
        while until is not None and not until():
            due = self._backend.next_alarm()
            if due is None:
                raise NotSettledError("all work is done and no timer is left, but what was waited for did not come")
            self._jump(due, deadline)

    def advance_to(self, when: datetime, timeout_seconds: float = 30) -> None:
        """Lives through the time until `when`: every timer rings at its own time, its work done before the next."""
        deadline = time.monotonic() + timeout_seconds
        self._run_due(deadline)
        while (due := self._backend.next_alarm()) is not None and due <= when:
            self._jump(due, deadline)
        self._jump(when, deadline)

    def jump_to(self, when: datetime) -> None:
        """Moves the clock at once, as if the machine had slept: what fell due in between rings late, and once."""
        self.clock.move_to(when)
        offset = str(self.clock.offset.total_seconds())
        self._backend.note(CLOCK, "offset", offset.encode())  # A restart must not live before its own past.

    @staticmethod
    def restore_clock(clock: Clock, journal: Journal) -> None:
        """Takes a virtual clock to where the state's last host had moved it."""
        for stored in journal.read(CLOCK):
            if clock.virtual:
                clock.move_to(datetime.now(UTC) + timedelta(seconds=float(stored.body)))

    def _jump(self, when: datetime, deadline: float) -> None:
        self.jump_to(when)
        self._run_due(deadline)

    def _run_due(self, deadline: float) -> None:
        if not self._backend.wait_idle(deadline - time.monotonic()):
            raise NotSettledError("work was still running when the time to settle was over")
