"""`hort plan`, `hort backup --plan` and `hort daemon`, on a vault in a folder."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agent.cli.exits import Exit
from tests.agent.command_line import REPOSITORY, Hort, signing_in
from tests.agent.conftest import wait_until
from tests.agent.stand_in import StandIn


@pytest.fixture
def planned(hort: Hort, source: Path, vault: str) -> Hort:
    hort("init", "--vault", vault)
    (source / "junk.tmp").touch()
    given = ("--path", str(source), "--schedule", "daily 22:00", "--exclude", "*.tmp", "--vault", vault)
    hort("plan", "set", "home", *given)
    return hort


def sets(hort: Hort, vault: str) -> list[str]:
    return [each["backup_set"] for each in hort("snapshots", "--vault", vault, "--json").document["snapshots"]]


def test_a_plan_is_made_changed_shown_and_forgotten(planned: Hort, tmp_path: Path, source: Path) -> None:
    planned("plan", "set", "home", "--exclude", "*.iso", "--preset", "caches", "--kind", "active_full")
    shown = planned("plan", "show", "home").out
    assert tomllib.loads(shown)["plan"]["home"] == {
        "paths": [str(source)],
        "exclude": ["*.iso"],
        "presets": ["caches"],
        "schedule": "daily 22:00",
        "kind": "active_full",
        "vault": f"file://{tmp_path}/vault",
    }
    assert (tmp_path / "home/config/plans.toml").read_text().endswith(shown)
    [listed] = planned("plan", "list", "--json").document["plans"]
    assert (listed["name"], listed["kind"], listed["began_at"]) == ("home", "active_full", None)
    planned("plan", "remove", "home")
    assert "No plans yet" in planned("plan", "list").out
    assert "there is no plan" in planned("plan", "show", "home", code=Exit.FAILED).err


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("--schedule", "whenever"), "schedule"),
        (("--exclude", "a\\"), "exclude"),
        (("--preset", "everything"), "presets"),
        (("--kind", "full"), "kind"),
        (("--limit", "fast"), "limit"),
        (("--exclude", "source/"), "left out by the plan's own excludes"),
    ],
)
def test_what_cannot_be_a_plan_is_refused_and_nothing_changes(
    planned: Hort, given: tuple[str, ...], field: str
) -> None:
    before = planned("plan", "show", "home").out
    assert field in planned("plan", "set", "home", *given, code=Exit.USAGE).err
    assert planned("plan", "show", "home").out == before
    planned("plan", "set", "My Home", "--path", ".", "--schedule", "hourly", code=Exit.USAGE)


def test_the_daemon_runs_what_is_due_and_files_it_under_the_plans_name(planned: Hort, source: Path, vault: str) -> None:
    assert "home: snapshot" in planned("daemon", "--once").err
    assert planned("daemon", "--once").out == "0 run\n"
    assert sets(planned, vault) == ["home"]
    listed = planned("ls", "latest", "--vault", vault).out
    assert "letter" in listed
    assert "junk.tmp" not in listed
    [plan] = planned("plan", "list", "--json").document["plans"]
    assert plan["began_at"] < plan["next_at"]
    planned("backup", "--plan", "home")
    planned("backup", str(source), "--vault", vault)
    assert sets(planned, vault) == ["home", "home", ""]
    assert "junk.tmp" in planned("ls", "latest", "--vault", vault).out
    assert "junk.tmp" not in planned("ls", "home@latest", "--vault", vault).out
    assert "no snapshots yet" in planned("ls", "mail@today", "--vault", vault, code=Exit.FAILED).err
    planned("backup", code=Exit.USAGE)


def test_a_plan_that_fails_is_told_and_recorded(planned: Hort) -> None:
    planned("plan", "set", "home", "--path", "/no/such/folder")
    assert "home: failed: nothing to back up" in planned("daemon", "--once").err
    [plan] = planned("plan", "list", "--json").document["plans"]
    assert "nothing to back up" in plan["message"]


def test_the_daemon_ends_in_order_when_it_is_asked_to(planned: Hort, tmp_path: Path, vault: str) -> None:
    home = {**os.environ, "HORT_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "agent", "daemon"]
    with subprocess.Popen(command, cwd=REPOSITORY, env=home, stderr=subprocess.PIPE, text=True) as daemon:
        wait_until(lambda: (tmp_path / "home/config/plan-runs.json").exists())
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=20)
    assert (daemon.returncode, "Traceback" in err) == (Exit.INTERRUPTED, False), err
    assert sets(planned, vault) == ["home"]


def test_a_limit_is_kept_on_the_way_to_the_service(hort: Hort, tmp_path: Path, source: Path, stand_in: StandIn) -> None:
    hort("register", *signing_in(stand_in, tmp_path))
    hort("plan", "set", "home", "--path", str(source), "--schedule", "hourly", "--limit", "250 KiB")
    began = time.monotonic()
    hort("backup", "--plan", "home")
    assert time.monotonic() - began > 1.0  # 300,000 bytes that nothing shrinks
    assert [each["backup_set"] for each in stand_in.snapshots] == ["home"]
    hort("restore", "home@latest", "--target", "out")
    assert (tmp_path / "out" / source.relative_to("/") / "letter").read_text() == "dear reader"
    hort("backup", str(source), "--limit", "quick", code=Exit.USAGE)


def test_the_units_are_what_their_readers_expect(hort: Hort, tmp_path: Path) -> None:
    unit = tmp_path / "hort.service"
    unit.write_text(hort("daemon", "--print-unit", "systemd").out)
    assert f"HORT_HOME={tmp_path}/home" in unit.read_text()
    service = ElementTree.fromstring(hort("daemon", "--print-unit", "windows").out)
    assert [service.findtext(tag) for tag in ("id", "startmode", "priority")] == ["hort", "Automatic", "BelowNormal"]
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd-analyze to read the unit")
    read = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=30)
    assert (read.returncode, read.stderr) == (0, "")
