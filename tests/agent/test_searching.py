"""`hort find`, `hort diff` and `hort mount`, all from a vault in a folder."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from demo.compare import compare
from tests.agent.command_line import REPOSITORY, Hort
from tests.agent.conftest import wait_until


@pytest.fixture
def twice(hort: Hort, source: Path, vault: str) -> list[str]:
    """The ids of two snapshots."""
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    (source / "letter").write_text("dear reader, again")
    hort("backup", str(source), "--vault", vault)
    return [each["session"] for each in hort("snapshots", "--vault", vault, "--json").document["snapshots"]]


def test_find_says_which_snapshots_have_which_version(hort: Hort, vault: str, twice: list[str]) -> None:
    found = hort("find", "letter", "--vault", vault, "--json").document["found"]
    assert [(each["entry"]["size_bytes"], each["snapshots"]) for each in found] == [(11, twice[:1]), (18, twice[1:])]
    text = hort("find", "ima*", "--vault", vault).out
    assert f"(in {twice[0]} to {twice[1]}, 2 snapshots)" in text
    assert "Nothing of that name" in hort("find", "no such", "--vault", vault).out


def test_diff_says_what_changed(hort: Hort, source: Path, vault: str, twice: list[str]) -> None:
    found = hort("diff", twice[0], "latest", "--vault", vault, "--json").document
    assert (found["before"], found["after"]) == tuple(twice)
    [change] = found["changes"]
    assert (change["change"], change["before_bytes"], change["after_bytes"]) == ("changed", 11, 18)
    assert hort("diff", twice[1], twice[0], str(source / "letter"), "--vault", vault).out.startswith("M  ")
    assert hort("diff", twice[0], twice[1], str(source / "below"), "--vault", vault).out == ""


@pytest.fixture
def mounted(tmp_path: Path, vault: str, twice: list[str]) -> Generator[Path]:
    """Two snapshots as folders."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("this machine has no /dev/fuse that we may use")
    folder = tmp_path / "mounted"
    folder.mkdir()
    command = [sys.executable, "-m", "agent", "mount", str(folder), "--vault", vault]
    home = {**os.environ, "HORT_HOME": str(tmp_path / "home")}
    with subprocess.Popen(command, cwd=REPOSITORY, env=home, stderr=subprocess.PIPE, text=True) as server:
        wait_until(lambda: folder.is_mount() or server.poll() is not None)
        if server.poll() is not None:
            assert server.stderr is not None
            pytest.skip(f"this machine does not let us mount: {server.stderr.read()}")
        yield folder
        server.terminate()
        assert server.wait(timeout=10) == Exit.OK
    assert not folder.is_mount()


def test_a_mount_shows_all_snapshots_and_nobody_writes(mounted: Path, source: Path, twice: list[str]) -> None:
    rooms = sorted(mounted.iterdir())
    assert [room.name.rpartition("_")[2] for room in rooms] == twice
    inside = [room / source.relative_to("/") for room in rooms]
    assert [(room / "letter").read_text() for room in inside] == ["dear reader", "dear reader, again"]
    assert compare(source, inside[1]) == []
    with (inside[1] / "below/image").open("rb") as image:
        image.seek(123_456)
        assert image.read(10) == (source / "below/image").read_bytes()[123_456:123_466]
    with pytest.raises(OSError, match="Read-only file system"):
        (inside[0] / "letter").write_text("x")
    with pytest.raises(FileNotFoundError):
        (inside[0] / "nothing").stat()


def test_mounting_onto_no_folder_is_told(hort: Hort, vault: str, twice: list[str]) -> None:
    assert "Not a directory" in hort("mount", "nowhere", "--vault", vault, code=Exit.FAILED).err
