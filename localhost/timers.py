"""Timer triggers: each armed for its next occurrence, run when due, and caught up with after a pause."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

from localhost.backend import Backend
from localhost.invoke import Invoker
from localhost.journal import Journal
from localhost.schedule import Schedule, parse_schedule
from localhost.settings import resolve
from localhost.worker import Function, FunctionFailedError, json_text

TIMER = "timer"
PAST_DUE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Status:
    """When a timer last ran and is next due; it outlives the host, so that a start can tell what it missed."""

    last: datetime | None
    next: datetime


class Timers:
    """One run of a function at a time: the next occurrence is armed when the run has ended."""

    def __init__(
        self,
        backend: Backend,
        invoker: Invoker,
        functions: Iterable[Function],
        loop: asyncio.AbstractEventLoop,
        zone: str,
    ) -> None:
        """Raises BadScheduleError, BadSettingsError."""
        self._backend, self._invoker, self._loop = backend, invoker, loop
        self._functions = {f.name: f for f in functions if f.kind == "timertrigger"}
        self._schedules = {n: _schedule(f, zone) for n, f in self._functions.items()}
        self._last: dict[str, datetime | None] = dict.fromkeys(self._functions)
        self._tasks: set[Future[None]] = set()

    def start(self, journal: Journal) -> None:
        """Arms all timers. What fell due while the host was down runs at once, past due; so does `runOnStartup`."""
        known = {stored.id: _read(stored.body) for stored in journal.read(TIMER)}
        now = self._backend.clock.now()
        for name, function in self._functions.items():
            status = known.get(name)
            self._last[name] = status.last if status else None
            missed = status.next if status and status.next <= now else None
            if missed or function.setting("runOnStartup", "run_on_startup") == "True":
                self._begin(name, missed or now)
            else:
                self._arm(name)

    async def run_now(self, name: str) -> None:
        """A manual run; its failure is logged, the schedule stays as it is."""
        self._backend.enter()
        try:
            await self._invoke(name, self._backend.clock.now())
        finally:
            self._backend.leave()

    def _arm(self, name: str) -> None:
        due = self._schedules[name](self._backend.clock.now())
        self._save(name, due)
        self._backend.set_alarm(due, lambda: self._begin(name, due))

    def _begin(self, name: str, due: datetime) -> None:
        self._backend.enter()
        task = asyncio.run_coroutine_threadsafe(self._run(name, due), self._loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, name: str, due: datetime) -> None:
        try:
            await self._invoke(name, due)
        finally:
            self._last[name] = due
            self._arm(name)  # Arm before leaving: between the two the host would look idle.
            self._backend.leave()

    async def _invoke(self, name: str, due: datetime) -> None:
        with contextlib.suppress(FunctionFailedError):  # logged where it was invoked; the schedule goes on
            await self._invoker.invoke(self._functions[name], json_text(self._info(name, due)))

    def _info(self, name: str, due: datetime) -> str:
        now = self._backend.clock.now()
        last = self._last[name] or now
        status = {
            "Last": last.isoformat(),
            "Next": self._schedules[name](now).isoformat(),
            "LastUpdated": now.isoformat(),
        }
        return json.dumps(
            {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": now - due > PAST_DUE}
        )

    def _save(self, name: str, due: datetime) -> None:
        last = self._last[name]
        body = {"last": last.isoformat() if last else None, "next": due.isoformat()}
        self._backend.note(TIMER, name, json.dumps(body).encode())


def _schedule(function: Function, zone: str) -> Schedule:
    return parse_schedule(resolve(function.setting("schedule") or ""), zone)


def _read(body: bytes) -> Status:
    raw = json.loads(body)
    return Status(datetime.fromisoformat(raw["last"]) if raw["last"] else None, datetime.fromisoformat(raw["next"]))
