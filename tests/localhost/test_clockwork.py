"""Timer triggers on the virtual clock: on time, once, and caught up with after a pause."""

import contextlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.localhost.conftest import APPS, HostProcess, Launcher

DAY, HOUR = 24 * 3600, 3600
SETTINGS = {"HOURLY": "0 0 * * * *", "AzureWebJobs.switched_off.Disabled": "true"}


@pytest.fixture
def clockwork(launch: Launcher) -> HostProcess:
    return launch("clockwork", "--virtual-clock", env=SETTINGS)


def test_each_timer_rings_at_its_own_time(clockwork: HostProcess) -> None:
    clockwork.advance(14 * DAY)
    nights = [datetime.fromisoformat(run["at"]) for run in clockwork.tallied("nightly")]
    assert len(nights) == 14
    assert {(at.hour, at.minute, at.second) for at in nights} == {(3, 0, 0)}
    assert len(clockwork.tallied("hourly")) == 14 * 24
    assert len(clockwork.tallied("half_hourly")) in (14 * 48, 14 * 48 - 1)


def test_what_runs_on_startup_ran_once(clockwork: HostProcess) -> None:
    clockwork.settle()
    assert len(clockwork.tallied("on_startup")) == 1


def test_a_disabled_timer_never_rings(clockwork: HostProcess) -> None:
    clockwork.advance(60)
    assert clockwork.tallied("switched_off") == []


def test_a_timer_that_fails_rings_again_the_next_day(clockwork: HostProcess) -> None:
    clockwork.advance(3 * DAY)
    assert len(clockwork.tallied("fails")) == 3


def test_a_manual_run_is_accepted_and_runs_once(clockwork: HostProcess) -> None:
    assert clockwork.call("POST", "/admin/functions/nightly", {"input": ""}).status == 202
    clockwork.settle()
    assert len(clockwork.tallied("nightly")) == 1


def test_a_clock_that_leaps_rings_once_and_past_due(clockwork: HostProcess) -> None:
    clockwork.advance(10 * DAY, jump=True)
    assert [run["past_due"] for run in clockwork.tallied("nightly")] == [True]


def test_what_fell_due_while_the_host_was_down_runs_at_the_start(clockwork: HostProcess, launch: Launcher) -> None:
    clockwork.advance(DAY)
    ran = len(clockwork.tallied("nightly"))
    clockwork.kill()
    sleep_through(launch, 3 * DAY)
    host = launch("clockwork", "--virtual-clock", env=SETTINGS)
    host.settle()
    runs = host.tallied("nightly")[ran:]
    assert [run["past_due"] for run in runs] == [True]


def sleep_through(launch: Launcher, seconds: float) -> None:
    """Lets time pass in the state while no timer of this app can run: a host of another app moves the clock."""
    other = launch("durable", "--virtual-clock")
    other.advance(seconds, jump=True)
    other.stop()


def test_a_setting_that_is_missing_ends_the_host_with_its_name(launch: Launcher) -> None:
    process, _, log = launch.spawn("clockwork")
    assert process.wait(20) == 1
    assert "'HOURLY' is not set" in log.read_text()


def test_local_settings_are_defaults_for_the_environment(launch: Launcher, tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(APPS / "clockwork", app)
    (app / "local.settings.json").write_text(
        '{"Values": {"HOURLY": "0 30 * * * *", "WEBSITE_TIME_ZONE": "Asia/Tokyo"}}'
    )
    host = launch(app, "--virtual-clock", env={**SETTINGS, "HOURLY": "0 15 * * * *"})
    host.advance(DAY)
    assert {datetime.fromisoformat(run["at"]).minute for run in host.tallied("hourly")} == {15}
    assert {datetime.fromisoformat(run["at"]).hour for run in host.tallied("nightly")} == {18}


def test_a_host_stops_while_its_clock_is_being_moved(launch: Launcher) -> None:
    host = launch("clockwork", "--virtual-clock", env={"HOURLY": "* * * * * *"})
    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(host.call, "POST", "/admin/clock", {"advance_seconds": 30 * DAY})
        while len(host.tallied("hourly")) < 10:
            time.sleep(0.01)
        assert host.stop() == 0
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            assert moving.result().status == 504


@pytest.mark.parametrize("body", [b"", b"no json", {}, {"advance_seconds": -1}, {"until": "soon"}, []])
def test_a_clock_is_moved_by_clear_words_only(clockwork: HostProcess, body: Any) -> None:
    assert clockwork.call("POST", "/admin/clock", body).status == 400


def test_the_clock_moves_to_a_given_time(clockwork: HostProcess) -> None:
    answer = clockwork.call("POST", "/admin/clock", {"until": "2030-01-01T00:00:00Z", "jump": True})
    assert datetime.fromisoformat(answer.json()["now"]).year == 2030
