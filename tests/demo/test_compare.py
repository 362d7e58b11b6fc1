"""The comparison that judges the demo finds every kind of difference, and only those."""

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.compare import compare

type Change = Callable[[Path], object]

LONG_BYTES = 3_000_000


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    source, restored = tmp_path / "source", tmp_path / "restored"
    plant(source)
    plant(restored)
    return source, restored


def plant(root: Path) -> None:
    (root / "folder" / "empty").mkdir(parents=True)
    (root / "folder" / "long").write_bytes(random.Random(1).randbytes(LONG_BYTES))
    (root / "short").write_bytes(b"short")
    (root / "nothing").touch()
    (root / "link").symlink_to("short")
    (root / "linked").write_bytes(b"one file")
    (root / "linked too").hardlink_to(root / "linked")
    (root / "alone").write_bytes(b"one file")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/not \xff text")).write_bytes(b"x")
    for path in [*sorted(root.rglob("*"), reverse=True), root]:
        os.utime(path, ns=(1, 1_700_000_000_123_456_789), follow_symlinks=False)


def keeping_time(path: str, change: Change) -> Change:
    """The same change, with the folder's and the file's times put back, so that nothing else gives it away."""

    def changed(root: Path) -> None:
        times = {each: each.lstat() for each in (root / path, (root / path).parent)}
        change(root / path)
        for each, before in times.items():
            if each.exists(follow_symlinks=False):
                os.utime(each, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)

    return changed


def replace_with(make: Change) -> Change:
    def replaced(path: Path) -> None:
        path.unlink() if not path.is_dir() else path.rmdir()
        make(path)

    return replaced


def flip(offset: int) -> Change:
    def flipped(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            before = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([before ^ 1]))

    return flipped


def to_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


CHANGES: list[tuple[str, str, str, Change]] = [
    ("short", "kind", "missing", lambda path: path.unlink()),
    ("folder/empty", "kind", "missing", lambda path: path.rmdir()),
    ("extra", "kind", "file", lambda path: path.write_bytes(b"")),
    ("short", "kind", "folder", replace_with(lambda path: path.mkdir())),
    ("pipe", "kind", "socket", replace_with(to_socket)),
    ("short", "mode", "0o600", lambda path: path.chmod(0o600)),
    ("folder/empty", "mode", "0o700", lambda path: path.chmod(0o700)),
    ("folder/empty", "mode", "0o1755", lambda path: path.chmod(0o1755)),
    ("link", "target", "b'nothing'", replace_with(lambda path: path.symlink_to("nothing"))),
    ("short", "size", "6", lambda path: path.write_bytes(b"short!")),
    ("nothing", "byte 0", "0x78", lambda path: path.write_bytes(b"x")),
    ("linked too", "names", "['linked too']", replace_with(lambda path: path.write_bytes(b"one file"))),
    ("folder/long", "byte 2999999", "", flip(LONG_BYTES - 1)),
    ("folder/long", "byte 1048576", "", flip(1 << 20)),
    ("not \udcff text", "byte 0", "", flip(0)),
]


def test_equal_trees_have_no_difference(trees: tuple[Path, Path]) -> None:
    assert compare(*trees) == []


@pytest.mark.parametrize(
    ("path", "what", "found", "change"), CHANGES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_kind_of_difference_is_found(
    trees: tuple[Path, Path], path: str, what: str, found: str, change: Change
) -> None:
    source, restored = trees
    if path == "extra":
        change(restored / path)
        os.utime(restored, ns=(1, source.stat().st_mtime_ns))
    else:
        keeping_time(path, change)(restored)
    named = [difference for difference in compare(source, restored) if difference.what == what]
    assert os.fsencode(path).decode("utf-8", "backslashreplace") in {difference.path for difference in named}
    assert all(found in difference.restored or len(named) > 1 for difference in named)


@pytest.mark.parametrize("path", ["short", "link", "folder", "."])
def test_a_nanosecond_is_a_difference(trees: tuple[Path, Path], path: str) -> None:
    source, restored = trees
    moved_ns = (source / path).lstat().st_mtime_ns + 1
    os.utime(restored / path, ns=(1, moved_ns), follow_symlinks=False)
    assert [(each.path, each.what, each.restored) for each in compare(source, restored)] == [
        (path, "mtime_ns", str(moved_ns))
    ]


def test_hard_links_to_the_wrong_file_are_a_difference(trees: tuple[Path, Path]) -> None:
    source, restored = trees
    keeping_time("alone", replace_with(lambda path: path.hardlink_to(path.parent / "linked")))(restored)
    assert {(each.path, each.what) for each in compare(source, restored)} == {
        (path, "names") for path in ("alone", "linked", "linked too")
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_compared(trees: tuple[Path, Path]) -> None:
    source, restored = trees
    os.chown(restored / "short", 12, 34)
    assert [(each.path, each.what, each.restored) for each in compare(source, restored)] == [
        ("short", "owner", "(12, 34)")
    ]


def test_the_users_attributes_are_compared(trees: tuple[Path, Path]) -> None:
    source, restored = trees
    try:
        os.setxattr(restored / "short", "user.colour", b"blue")
    except OSError as fault:
        pytest.skip(f"this file system has no attributes: {fault.strerror}")
    assert [(each.path, each.what) for each in compare(source, restored)] == [("short", "attributes")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=300), data=st.data())
def test_one_changed_bit_anywhere_is_found(tmp_path: Path, content: bytes, data: st.DataObject) -> None:
    for side in ("a", "b"):
        (tmp_path / side).mkdir(exist_ok=True)
        (tmp_path / side / "file").write_bytes(content)
    at = data.draw(st.integers(0, len(content) - 1))
    flip(at)(tmp_path / "b" / "file")
    assert f"byte {at}" in {each.what for each in compare(tmp_path / "a", tmp_path / "b")}
