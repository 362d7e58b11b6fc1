"""A daemon with a clock that the test turns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.config import Home
from agent.daemon import LOOK_AGAIN, Daemon, World
from agent.ending import Ending
from agent.plans.plan import Plan, Plans
from agent.power import on_battery
from agent.shelf import Shelf
from shared.domain.errors import Conflict

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class Day:
    """What the daemon sees of the world, and what it did."""

    folder: Path
    now: datetime = START
    until: datetime = START
    fault: Exception | None = None
    battery: bool = False
    takes: timedelta = timedelta(0)
    runs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    said: list[str] = field(default_factory=list[str])
    at_wait: Callable[[], None] = lambda: None

    @property
    def shelf(self) -> Shelf:
        home = Home(self.folder / "config", self.folder / "cache")
        home.make()
        return Shelf(home)

    def plan(self, name: str, schedule: str, **changes: object) -> None:
        made = Plan.model_validate({"paths": ["/home"], "schedule": schedule, "spread_minutes": 0, **changes})
        self.shelf.write(self.shelf.plans().changed(name, made))

    def run(self, name: str, plan: Plan) -> str:
        self.runs.append((name, f"{self.now:%d. %H:%M}"))
        self.now += self.takes
        if self.fault is not None:
            raise self.fault
        return "snapshot x"

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= LOOK_AGAIN.total_seconds()
        self.now += timedelta(seconds=seconds)
        self.at_wait()
        if self.now > self.until:
            raise Ending("the test is over")

    def go_on(self, hours: float) -> list[tuple[str, str]]:
        """A daemon that starts now and is ended so much later; what it ran."""
        self.runs.clear()
        self.until = self.now + timedelta(hours=hours)
        world = World(
            self.run,
            lambda name: name,
            lambda: self.now,
            ZoneInfo("UTC"),
            self.wait,
            lambda: self.battery,
            self.said.append,
        )
        with pytest.raises(Ending):
            Daemon(self.shelf, world).serve()
        return self.runs


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def test_plans_run_when_they_are_due(day: Day) -> None:
    day.plan("home", "daily 22:00")
    day.plan("mail", "0 */8 * * *")
    ran = day.go_on(24)
    assert ran == [("home", "21. 12:00"), ("mail", "21. 12:00"), ("mail", "21. 16:00"), ("home", "21. 22:00"),
                   ("mail", "22. 00:00"), ("mail", "22. 08:00")]  # fmt: skip
    assert "home: snapshot x" in day.said


def test_missed_runs_are_made_up_for_once_when_the_machine_is_on_again(day: Day) -> None:
    day.plan("home", "daily 22:00")
    day.go_on(1)
    day.now += timedelta(days=5)
    assert day.go_on(1) == [("home", "26. 13:01")]


def test_a_restart_runs_nothing_twice(day: Day) -> None:
    day.plan("home", "daily 22:00")
    day.go_on(1)
    assert day.go_on(1) == []


def test_a_failed_run_is_tried_again_and_told(day: Day) -> None:
    day.plan("home", "daily 22:00")
    day.fault = Conflict("the network is down")
    assert [when for _, when in day.go_on(0.7)] == ["21. 12:00", "21. 12:05", "21. 12:15", "21. 12:35"]
    assert "home: failed: the network is down" in day.said
    assert day.shelf.runs()["home"].failures == 4
    day.fault = None
    day.go_on(2)
    assert day.shelf.runs()["home"].failures == 0


def test_a_long_run_holds_up_the_others_and_nothing_is_lost(day: Day) -> None:
    day.plan("long", "daily 13:00")
    day.plan("short", "hourly")
    day.takes = timedelta(hours=3)
    ran = day.go_on(8)
    assert [name for name, _ in ran] == ["long", "short", "long", "short"]


def test_plans_that_change_while_the_daemon_runs_are_heeded(day: Day) -> None:
    day.plan("home", "daily 22:00")

    def change() -> None:
        if day.now.hour == 13:
            day.plan("home", "daily 14:30")
        if day.now.hour == 15:
            day.plan("home", "daily 16:30", enabled=False)

    day.at_wait = change
    assert day.go_on(8) == [("home", "21. 12:00"), ("home", "21. 14:30")]


def test_a_plan_that_cannot_be_read_is_told_once_and_mended_without_a_restart(day: Day) -> None:
    day.shelf.home.plans.write_text("[plan.home")

    def mend() -> None:
        if day.now.minute == 30:
            day.shelf.home.plans.unlink(missing_ok=True)
            day.plan("home", "hourly")

    day.at_wait = mend
    assert day.go_on(0.8) == [("home", "21. 12:30")]
    assert sum("cannot be read" in line for line in day.said) == 1


def test_a_plan_may_wait_for_the_mains(day: Day) -> None:
    day.plan("home", "hourly", on_battery=False)
    day.plan("mail", "daily 12:00")
    day.battery = True

    def plug_in() -> None:
        day.battery = day.now.minute < 45

    day.at_wait = plug_in
    assert day.go_on(0.9) == [("mail", "21. 12:00"), ("home", "21. 12:45")]
    assert day.said.count("home: waits for the mains") == 1


def test_what_is_known_of_runs_may_get_lost(day: Day) -> None:
    day.plan("home", "daily 22:00")
    day.go_on(1)
    day.shelf.home.plan_runs.write_bytes(b"{half")
    assert len(day.go_on(1)) == 1


@pytest.mark.parametrize(
    ("supplies", "battery"),
    [
        ({}, False),
        ({"BAT0": ("Battery", "Discharging", "")}, True),
        ({"BAT0": ("Battery", "Charging", ""), "AC": ("Mains", "", "1")}, False),
        ({"BAT0": ("Battery", "Discharging", ""), "AC": ("Mains", "", "0")}, True),
        ({"BAT0": ("Battery", "Discharging", ""), "usb": ("USB", "", "1")}, False),
        ({"AC": ("Mains", "", "0")}, False),
    ],
)
def test_the_platform_tells_of_its_battery(
    tmp_path: Path, supplies: dict[str, tuple[str, str, str]], battery: bool
) -> None:
    for name, said in supplies.items():
        (tmp_path / name).mkdir()
        for file, text in zip(("type", "status", "online"), said, strict=True):
            if text:
                (tmp_path / name / file).write_text(f"{text}\n")
    assert on_battery(tmp_path) is battery
    assert on_battery(tmp_path / "no such folder") is False


def test_plans_outlive_the_process(day: Day) -> None:
    assert day.shelf.plans() == Plans()
    day.plan("home", "hourly")
    assert list(day.shelf.plans().plan) == ["home"]
