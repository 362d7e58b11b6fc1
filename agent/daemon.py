"""Runs plans when they are due: one at a time, for as long as nobody ends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from agent.plans.due import Runs, due_at
from agent.plans.plan import Plan
from agent.shelf import Shelf
from shared.domain.errors import HortError

LOOK_AGAIN = timedelta(minutes=1)
"""Plans may change, clocks may jump, and a machine may have slept."""


@dataclass(frozen=True, slots=True)
class World:
    """What a daemon cannot know by itself."""

    run: Callable[[str, Plan], str]
    """Backs up, and says how it went. Raises `HortError` or `OSError`."""
    seed: Callable[[str], str]
    now: Callable[[], datetime]
    zone: tzinfo
    wait: Callable[[float], None]
    """Raises `Ending` when the daemon is to end."""
    on_battery: Callable[[], bool]
    say: Callable[[str], None]


@dataclass(slots=True)
class Daemon:
    shelf: Shelf
    world: World
    _said: set[str] = field(default_factory=set[str])

    def serve(self) -> None:
        """Until `wait` raises `Ending`."""
        while True:
            self.turn()
            self.world.wait(self._rest().total_seconds())

    def turn(self) -> int:
        """Runs everything that is due, the longest overdue first; how many runs that were."""
        ran = 0
        for name, plan in self._due():
            self._run(name, plan)
            ran += 1
        return ran

    def _due(self) -> Iterator[tuple[str, Plan]]:
        """Each plan once, judged when its turn comes: a run before may have taken hours."""
        done: set[str] = set()
        while True:
            now = self.world.now()
            dues = [(due, name, plan) for due, name, plan in self._dues(now) if due <= now and name not in done]
            ready = [(due, name, plan) for due, name, plan in dues if self._has_power(name, plan)]
            if not ready:
                return
            _, name, plan = min(ready, key=lambda each: each[0])
            done.add(name)
            yield name, plan

    def _dues(self, now: datetime) -> Iterator[tuple[datetime, str, Plan]]:
        try:
            plans, runs = self.shelf.plans().plan, self.shelf.runs()
        except (HortError, OSError) as fault:
            self._say_once(f"the plans cannot be read: {fault}")
            return
        for name, plan in plans.items():
            if plan.enabled:
                seed, zone = self.world.seed(name), self.world.zone
                yield due_at(plan, runs.get(name, Runs()), seed, zone, now), name, plan

    def _run(self, name: str, plan: Plan) -> None:
        runs, began_at = self.shelf.runs().get(name, Runs()), self.world.now()
        self.world.say(f"{name}: begins")
        try:
            message = self.world.run(name, plan)
        except (HortError, OSError) as fault:
            self.shelf.record(name, runs.after_failure(self.world.now(), str(fault)))
            self.world.say(f"{name}: failed: {fault}")
        else:
            self.shelf.record(name, runs.after_success(began_at, message))
            self.world.say(f"{name}: {message}")
        self._said = {line for line in self._said if not line.startswith(f"{name}: ")}

    def _has_power(self, name: str, plan: Plan) -> bool:
        if plan.on_battery or not self.world.on_battery():
            return True
        self._say_once(f"{name}: waits for the mains")
        return False

    def _rest(self) -> timedelta:
        """Until the next plan is due, and never long; what is due and waits for the mains is looked at as rarely."""
        now = self.world.now()
        waits = (due - now for due, _, _ in self._dues(now))
        return min((each for each in waits if timedelta(0) < each < LOOK_AGAIN), default=LOOK_AGAIN)

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self.world.say(line)
