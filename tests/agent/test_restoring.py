"""`hort restore` as people need it: by time and glob, over what is there, tried first, and proved afterwards."""

import os
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from tests.agent.command_line import Hort


@pytest.fixture
def backed_up(hort: Hort, source: Path, vault: str) -> Path:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    return source


def test_a_snapshot_is_named_by_time(hort: Hort, backed_up: Path, vault: str) -> None:
    [first] = hort("snapshots", "--vault", vault, "--json").document["snapshots"]
    (backed_up / "later").touch()
    hort("backup", str(backed_up), "--vault", vault)
    for said, there in (("today", True), (first["committed_at"], False)):
        entries = hort("ls", said, "--vault", vault, "--json").document["entries"]
        assert (str(backed_up / "later").lstrip("/") in [each["path"] for each in entries]) is there
    said = hort("ls", "yesterday 14:00", "--vault", vault, code=Exit.FAILED)
    assert "the oldest snapshot is of" in said.err


def test_a_dry_run_says_what_a_restore_then_does(hort: Hort, backed_up: Path, vault: str) -> None:
    (backed_up / "letter").write_text("changed")
    (backed_up / "below/image").unlink()
    how = ("restore", "latest", "--in-place", "--overwrite", "changed", "--vault", vault, "--json")
    promised = hort(*how, "--dry-run").document
    assert (backed_up / "letter").read_text() == "changed"
    acts = {Path(each["path"]).name: each["act"] for each in promised["changes"]}
    assert acts == {"letter": "replace", "image": "create", "below": "replace"}
    done = hort(*how, "--verify").document
    assert (done["files"], done["unchanged"], done["verified"], done["differing"]) == (2, 3, 7, [])
    assert (backed_up / "letter").read_text() == "dear reader"
    said = hort("restore", "latest", "--in-place", "--overwrite", "changed", "--vault", vault, "--dry-run").out
    assert "Would create 0 and replace 0, 0 B in all" in said


def test_what_verifying_finds_is_named(hort: Hort, tmp_path: Path, backed_up: Path, vault: str) -> None:
    hort("restore", "latest", "--target", "out", "--vault", vault)
    letter = tmp_path / "out" / str(backed_up / "letter").lstrip("/")
    times = letter.stat().st_mtime_ns
    letter.write_text("Dear reader")
    os.utime(letter, ns=(times, times))
    how = ("restore", "latest", "--target", "out", "--overwrite", "changed", "--verify", "--vault", vault)
    said = hort(*how, code=Exit.INCOMPLETE)
    assert "NOT as in the snapshot" in said.out
    assert "letter: its bytes are not the snapshot's" in said.out


def test_globs_pick_files(hort: Hort, tmp_path: Path, backed_up: Path, vault: str) -> None:
    hort("restore", "latest", "--target", "out", "--include", "ima*", "--vault", vault)
    found = [path for path in (tmp_path / "out").rglob("*") if not path.is_dir()]
    assert [path.name for path in found] == ["image"]
