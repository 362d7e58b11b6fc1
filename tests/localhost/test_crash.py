"""What was acknowledged survives kill -9, at any moment and as often as it comes."""

import os
import random
import resource
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import urllib3

from tests.localhost.conftest import WEBHOOK, HostProcess, Launcher

KILLS = int(os.environ.get("LOCALHOST_SOAK_KILLS", "4"))


def after_a_kill(launch: Launcher, host: HostProcess) -> HostProcess:
    host.kill()
    return launch("durable", "--virtual-clock")


def test_timers_sub_orchestrations_and_late_starts_survive(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    host.start("sleep_days", 10, id="sleeper")
    host.start("slow_parent", 7200, id="parent")
    host.start("when_started", id="late", at=(host.now() + timedelta(days=1)).isoformat())
    host.settle()
    host = after_a_kill(launch, host)
    assert host.status("late")["runtimeStatus"] == "Pending"
    host.advance(11 * 24 * 3600)
    assert [host.status(i)["runtimeStatus"] for i in ("sleeper", "parent", "late")] == ["Completed"] * 3


def test_a_start_is_on_disk_before_it_is_acknowledged(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    for n in range(6):
        instance = host.start("echo", n)
        host = after_a_kill(launch, host)
        assert host.wait(instance)["output"] == n


def test_events_for_a_suspended_instance_survive(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    host.start("listens", 1, id="paused")
    host.settle()
    host.call("POST", f"{WEBHOOK}/instances/paused/suspend")
    host.wait("paused", "Suspended")
    host.call("POST", f"{WEBHOOK}/instances/paused/raiseEvent/word", "kept")
    host = after_a_kill(launch, host)
    assert host.status("paused")["runtimeStatus"] == "Suspended"
    host.call("POST", f"{WEBHOOK}/instances/paused/resume")
    assert host.wait("paused")["output"] == ["kept"]


def test_locks_held_and_waited_for_survive(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    host.call("POST", "/api/signal/vault/add")
    for name in ("first", "second", "third"):
        host.start("critical", {"key": "vault"}, id=name)
        host.settle()
    host = after_a_kill(launch, host)
    host.call("POST", "/api/signal/vault/add")
    host.settle()
    assert host.call("GET", f"{WEBHOOK}/entities/counter/vault").json() == 1
    host.advance(3600 + 60)
    host = after_a_kill(launch, host)
    host.advance(2 * 3600 + 60)
    assert all(host.status(name)["runtimeStatus"] == "Completed" for name in ("first", "second", "third"))
    assert host.call("GET", f"{WEBHOOK}/entities/counter/vault").json() == 5


def test_delayed_signals_survive_and_come_once(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    at = (host.now() + timedelta(hours=2)).isoformat().replace("+", "%2B")
    host.call("POST", f"/api/signal/later/add?at={at}")
    host = after_a_kill(launch, host)
    host.advance(3600)
    assert host.call("GET", f"{WEBHOOK}/entities/counter/later").status == 404
    host.advance(3601)
    host = after_a_kill(launch, host)
    host.advance(3600)
    assert host.call("GET", f"{WEBHOOK}/entities/counter/later").json() == 1


def test_a_virtual_clock_does_not_fall_back_behind_its_own_past(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    before = host.advance(30 * 24 * 3600)
    host = after_a_kill(launch, host)
    assert host.now() >= before


def test_purged_and_renewed_instances_stay_so(launch: Launcher) -> None:
    host = launch("durable", "--virtual-clock")
    for value in ("old", "new"):
        host.start("echo", value, id="reused")
        host.wait("reused")
    host.start("echo", "gone", id="purged")
    host.wait("purged")
    host.call("DELETE", f"{WEBHOOK}/instances/purged")
    host = after_a_kill(launch, host)
    assert host.status("reused")["output"] == "new"
    assert host.call("GET", f"{WEBHOOK}/instances/purged").status == 404


def test_a_clean_stop_finishes_what_runs(launch: Launcher) -> None:
    host = launch("durable")
    instance = host.start("soak", "tidy")
    assert host.stop() == 0
    host = launch("durable")
    assert host.wait(instance)["runtimeStatus"] == "Completed"
    assert (host.tally / "tidy.child").read_text() == "x"


def test_a_state_directory_belongs_to_one_host(launch: Launcher) -> None:
    launch("durable")
    process, _, log = launch.spawn("durable")
    assert process.wait(20) == 1
    assert "another host is using" in log.read_text()


class Soak:
    """Starts orchestrations as fast as they are accepted, while somebody kills the host; notes what was accepted."""

    def __init__(self, launch: Launcher) -> None:
        self.launch, self.accepted, self.tried = launch, list[str](), 0
        self.host = launch("durable")
        self.over = False

    def feed(self) -> None:
        while not self.over:
            name = f"job{self.tried}"
            self.tried += 1
            try:
                answer = self.host.call("POST", f"/api/start/soak?id={name}", name)
            except urllib3.exceptions.HTTPError:
                time.sleep(0.01)
                continue
            if answer.status == 202:
                self.accepted.append(name)

    def kill_and_restart(self, times: int, rng: random.Random) -> None:
        for _ in range(times):
            time.sleep(rng.uniform(0.2, 0.9))
            self.host.kill()
            self.host = self.launch("durable")
        self.over = True


def test_nothing_accepted_is_lost_or_done_twice_while_the_host_is_killed_again_and_again(launch: Launcher) -> None:
    soak = Soak(launch)
    with ThreadPoolExecutor(1) as pool:
        feeding = pool.submit(soak.feed)
        soak.kill_and_restart(KILLS, random.Random(2))
        feeding.result()
    assert len(soak.accepted) > KILLS
    for name in soak.accepted:
        status = soak.host.wait(name, seconds=120)
        assert (status["runtimeStatus"], status["output"]) == ("Completed", name)
    check_counted_once(soak)


def check_counted_once(soak: Soak) -> None:
    """Each finished orchestration, accepted or cut off before its answer, added exactly 1 to the entity."""
    finished = 0
    for n in range(soak.tried):
        answer = soak.host.call("GET", f"{WEBHOOK}/instances/job{n}")
        if answer.status != 404:
            finished += soak.host.wait(f"job{n}", seconds=120)["runtimeStatus"] == "Completed"
    assert soak.host.call("GET", f"{WEBHOOK}/entities/counter/soak").json() == finished >= len(soak.accepted)


def test_on_a_full_disk_nothing_is_acknowledged_and_with_room_again_all_of_it_is(
    launch: Launcher, tmp_path: Path
) -> None:
    host = launch("durable")
    full = (tmp_path / "state" / "durable.sqlite-wal").stat().st_size + 65536
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(host.call, "POST", f"{WEBHOOK}/orchestrators/echo/big", "x" * 3_000_000)
        with pytest.raises(TimeoutError):
            start.result(timeout=2)
        resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert start.result(timeout=10).status == 202
    assert len(host.wait("big")["output"]) == 3_000_000
    assert "the state cannot be written" in host.log()


def test_the_journal_is_in_write_ahead_mode_and_syncs_every_commit(launch: Launcher, tmp_path: Path) -> None:
    launch("durable").stop()
    with sqlite3.connect(tmp_path / "state" / "durable.sqlite") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("rest", [b"", b"\0" * 4096])
def test_a_torn_write_ahead_log_loses_nothing_that_was_committed(launch: Launcher, tmp_path: Path, rest: bytes) -> None:
    host = launch("durable")
    host.start("echo", "kept", id="kept")
    host.wait("kept")
    host.kill()
    with (tmp_path / "state" / "durable.sqlite-wal").open("ab") as wal:
        wal.write(rest)
    assert launch("durable").status("kept")["output"] == "kept"
