"""`/admin`: the host's state, manual runs of timer functions, and the virtual clock."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from localhost.engine import Engine, NotSettledError
from localhost.keys import ADMIN_LEVEL, Keys
from localhost.messages import Reply, Request, json_reply, problem
from localhost.worker import Function

MAX_SECONDS = 100 * 366 * 24 * 3600


class Admin:
    """Wants the master key. `run` starts a timer function by name; the clock is there only where it is virtual."""

    def __init__(
        self,
        keys: Keys,
        functions: Mapping[str, Function],
        run: Callable[[str], Coroutine[None, None, None]],
        engine: Engine,
    ) -> None:
        self._keys, self._functions, self._run, self._engine = keys, functions, run, engine
        self._runs: set[asyncio.Task[None]] = set()

    async def answer(self, request: Request) -> Reply:
        if not self._keys.allow(request, ADMIN_LEVEL):
            return Reply(401)
        match (request.method, *request.path.strip("/").split("/")[1:]):
            case ("GET", "host", "status"):
                return json_reply(200, {"state": "Running", "functions": sorted(self._functions)})
            case ("POST", "functions", name):
                return self._start_function(name)
            case ("GET", "clock"):
                return self._time()
            case ("POST", "clock"):
                return await self._move_clock(request.body)
            case _:
                return Reply(404)

    def _start_function(self, name: str) -> Reply:
        function = self._functions.get(name)
        if function is None:
            return problem(404, f"no function '{name}'")
        if function.kind != "timertrigger":
            return problem(400, f"'{name}' has no timer trigger: only those are run by hand here")
        run = asyncio.create_task(self._run(name))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return Reply(202)

    def _time(self) -> Reply:
        clock = self._engine.clock
        return json_reply(200, {"now": clock.now().isoformat(), "virtual": clock.virtual})

    async def _move_clock(self, body: bytes) -> Reply:
        if not self._engine.clock.virtual:
            return problem(409, "the clock is real: start the host with --virtual-clock")
        try:
            move = _read_move(body, self._engine.clock.now())
        except ValueError as error:
            return problem(400, str(error))
        try:
            await asyncio.to_thread(self._apply, *move)
        except NotSettledError as error:
            return problem(504, str(error))
        return self._time()

    def _apply(self, when: datetime, jump: bool, timeout_seconds: float) -> None:
        if jump:
            self._engine.jump_to(when)
            self._engine.settle(timeout_seconds=timeout_seconds)
        else:
            self._engine.advance_to(when, timeout_seconds)


def _read_move(body: bytes, now: datetime) -> tuple[datetime, bool, float]:
    """`{"advance_seconds": n}` or `{"until": iso}`, with `jump` and `timeout_seconds`. Raises ValueError."""
    read: Any = json.loads(body)
    move = cast(dict[str, Any], read) if isinstance(read, dict) else {}
    jump, timeout = bool(move.get("jump", False)), float(move.get("timeout_seconds", 300))
    seconds, until = move.get("advance_seconds"), move.get("until")
    if isinstance(seconds, int | float) and 0 <= seconds <= MAX_SECONDS:
        return now + timedelta(seconds=seconds), jump, timeout
    if isinstance(until, str):
        when = datetime.fromisoformat(until)
        return when if when.tzinfo else when.replace(tzinfo=UTC), jump, timeout
    raise ValueError("give advance_seconds (0 or more) or until (an ISO 8601 time)")
