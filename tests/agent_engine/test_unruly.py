"""Files that cannot be read, or will not hold still."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.engine import intake, reading, walk
from agent.engine.contents import Contents, Draft
from agent.engine.globs import Rules
from tests.agent_engine.house import House, fill, look, reasons

noise = random.Random(7).randbytes


class Meddler:
    """Lets the next of some acts happen while a file is read: after its status was asked, before it is asked again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
        self.reads = 0
        self._acts = list(acts)
        small, large = Contents.small, Contents.large

        def read_small(contents: Contents, data: bytes) -> Draft:
            self._act()
            return small(contents, data)

        def read_large(contents: Contents, handle: int, status: os.stat_result, path: bytes) -> Draft:
            self._act()
            return large(contents, handle, status, path)

        monkeypatch.setattr(Contents, "small", read_small)
        monkeypatch.setattr(Contents, "large", read_large)

    def _act(self) -> None:
        self.reads += 1
        if self._acts:
            self._acts.pop(0)()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more" * 1000)


@pytest.mark.parametrize("size", [10_000, 600_000])
def test_a_file_that_changed_once_while_read_is_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    fill(house.source, {"log": noise(size)})
    meddler = Meddler(monkeypatch, lambda: grow(house.source / "log"))
    report = house.backup()
    assert (meddler.reads, report.changing) == (2, ())
    assert house.restored() == look(house.source)


@pytest.mark.parametrize("size", [10_000, 600_000])
def test_a_file_that_grows_all_the_time_is_stored_as_read_and_reported(
    house: House, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    first = noise(size)
    fill(house.source, {"log": first})
    Meddler(monkeypatch, *[lambda: grow(house.source / "log")] * 9)
    report = house.backup()
    assert reasons(report.changing) == {"log": "changed while it was read"}
    house.restore(house.root / "out")
    back = (house.root / "out" / str(house.source).lstrip("/") / "log").read_bytes()
    assert back.startswith(first)
    assert (house.source / "log").read_bytes().startswith(back)
    monkeypatch.undo()
    assert house.backup().unchanged <= 1
    assert house.restored() == look(house.source)


@pytest.mark.parametrize("size", [10_000, 600_000])
def test_a_file_that_shrinks_is_stored_as_it_is_then(house: House, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    fill(house.source, {"log": noise(size)})
    Meddler(monkeypatch, lambda: os.truncate(house.source / "log", 7))
    assert house.backup().changing == ()
    assert house.restored() == look(house.source)


def test_a_file_that_outgrows_its_size_class_while_read_is_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house.source, {"log": b"small"})
    Meddler(monkeypatch, lambda: fill(house.source, {"log": noise(900_000)}))
    assert house.backup().changing == ()
    assert house.restored() == look(house.source)


def test_a_file_that_vanishes_is_skipped_and_reported(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house.source, {"a": b"1", "b": b"2", "c": b"3"})
    take = intake.Intake.take

    def vanish(self: intake.Intake, found: walk.Found) -> int:
        if found.name == b"b":
            (house.source / "b").unlink()
        return take(self, found)

    monkeypatch.setattr(intake.Intake, "take", vanish)
    report = house.backup()
    assert reasons(report.skipped) == {"b": "No such file or directory"}
    assert report.files == 2


def test_a_folder_that_is_moved_while_what_is_in_it_is_read_is_reported(house: House) -> None:
    """Far above the current folder nothing stays open: on the way back the walk notices that it is elsewhere."""
    above, below = house.source / "/".join("abc"), "/".join("d" * 210)
    (above / below).mkdir(parents=True)
    fill(house.source, {"a/b/z": b"not reached", "z": b"reached"})
    skipped: list[bytes] = []
    found: list[bytes] = []
    rules = walk.Walk(Rules.of([], []), one_file_system=False, skip=lambda path, _: skipped.append(path))
    for entry in rules.entries(walk.real_roots([house.source])):
        found.append(entry.path)
        if entry.path.endswith(below.encode()):
            (house.source / "a").rename(house.root / "moved")
    inside = bytes(house.source).strip(b"/")
    assert inside + b"/a/b" in skipped
    assert inside + b"/a/b/z" not in found
    assert found[-1] == inside + b"/z"


def test_a_file_replaced_by_a_pipe_does_not_stop_the_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house.source, {"a": b"1"})
    real = reading.open_file

    def swap(found: walk.Found) -> int:
        (house.source / "a").unlink()
        os.mkfifo(house.source / "a")
        return real(found)

    monkeypatch.setattr(intake, "open_file", swap)
    assert reasons(house.backup().skipped) == {"a": "it was replaced by something that is no file"}


def test_a_file_replaced_by_a_link_is_not_followed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house.source, {"a": b"1"})
    real = reading.open_file

    def swap(found: walk.Found) -> int:
        (house.source / "a").unlink()
        (house.source / "a").symlink_to("/etc/passwd")
        return real(found)

    monkeypatch.setattr(intake, "open_file", swap)
    assert list(reasons(house.backup().skipped)) == ["a"]


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from tests.agent_engine.house import House
House(Path(sys.argv[2])).backup()  # everything is imported while that may still be read
os.setgid(65534)
os.setuid(65534)
report = House(Path(sys.argv[1])).backup()
print(report.skipped_count, sorted((each.path.rsplit("/", 1)[1], each.reason) for each in report.skipped))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_may_not_be_read_is_skipped_counted_and_reported(house: House) -> None:
    fill(house.source, {"mine": b"1", "secret": b"2", "shut/inside": b"3"})
    (house.source / "secret").chmod(0)
    (house.source / "shut").chmod(0)
    for folder in (house.root, *house.root.parents):
        if str(folder).startswith("/tmp/") and folder != Path("/tmp"):  # pytest keeps its folders to itself
            folder.chmod(0o755)
    other = House(house.root / "other")
    fill(other.source, {"x": b"x"})
    for path in (house.cache, house.vault_root):
        path.mkdir()
        os.chown(path, 65534, 65534)
    arguments = [sys.executable, "-c", UNPRIVILEGED, str(house.root), str(other.root)]
    run = subprocess.run(
        arguments, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.stdout == "2 [('secret', 'Permission denied'), ('shut', 'Permission denied')]\n", run.stderr
    house.restore(house.root / "out")
    back = house.root / "out" / str(house.source).lstrip("/")
    assert sorted(each.name for each in back.iterdir()) == ["mine", "shut"]
