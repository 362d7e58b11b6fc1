import os
import random
import socket
import stat
from pathlib import Path

import pytest

from agent.engine.orders import BackupReport
from shared.format import content
from tests.agent_engine.house import House, fill, look, reasons, rest

noise = random.Random(7).randbytes


def assert_comes_back(house: House) -> BackupReport:
    report = house.backup()
    assert (report.skipped, report.changing) == ((), ())
    assert house.restored() == look(house.source)
    return report


def test_files_folders_links_and_times_come_back(house: House) -> None:
    fill(house.source, {"a": b"", "b/c/d.txt": b"small", "b/large": noise(5 << 20), "b/zeros": bytes(3 << 20)})
    (house.source / "empty").mkdir(mode=0o700)
    (house.source / "link").symlink_to("b/c")
    (house.source / "dangling").symlink_to("/no/such/place")
    os.utime(house.source / "b/c", ns=(1, 1_000_000_007))
    os.utime(house.source / "link", ns=(5, 123_456_789_012), follow_symlinks=False)
    report = assert_comes_back(house)
    assert (report.files, report.directories) == (6, 4)
    assert report.logical_bytes == 5 + (5 << 20) + (3 << 20)


def test_modes_and_owners_come_back(house: House) -> None:
    fill(house.source, {"suid": b"x", "secret": b"y", "d/f": b"z"})
    os.chown(house.source / "suid", 1234, 4321)
    (house.source / "suid").chmod(0o6755)
    (house.source / "secret").chmod(0o000)
    (house.source / "d").chmod(0o1777)
    os.chown(house.source / "d", 77, 88)
    assert_comes_back(house)


def test_extended_attributes_come_back(house: House) -> None:
    fill(house.source, {"f": b"x", "large": noise(400_000), "d/x": b""})
    os.setxattr(house.source / "f", "user.colour", b"gr\xfcn")
    os.setxattr(house.source / "large", "user.empty", b"")
    os.setxattr(house.source / "d", "user.folder", b"1")
    assert_comes_back(house)


def test_hard_links_stay_links(house: House) -> None:
    fill(house.source, {"a/first": noise(10_000), "b/big": noise(600_000)})
    os.link(house.source / "a/first", house.source / "z")
    os.link(house.source / "a/first", house.source / "a/second")
    os.link(house.source / "b/big", house.source / "a/big")
    report = assert_comes_back(house)
    assert report.new_bytes < 640_000
    again = house.backup()
    assert again.new_bytes == 0
    assert house.restored() == look(house.source)


def test_a_hard_link_whose_first_name_vanished_becomes_the_file(house: House) -> None:
    fill(house.source, {"first": b"content", "other": b"o"})
    os.link(house.source / "first", house.source / "second")
    os.link(house.source / "first", house.source / "third")
    house.backup()
    (house.source / "first").unlink()
    assert_comes_back(house)


def test_pipes_and_devices_come_back_and_sockets_are_recorded(house: House) -> None:
    os.mkfifo(house.source / "pipe", 0o640)
    os.mknod(house.source / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(house.source / "loop", 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(house.source / "socket"))
        house.backup()
    expected = look(house.source)
    del expected[b"socket"]
    assert house.restored() == expected


def test_names_that_are_not_text_come_back(house: House) -> None:
    for name in (b"\xff\xfe", b"caf\xe9", "größe".encode(), b"new\nline", b" ", b"\x01", b"-rf", b"a" * 255):
        (Path(os.fsdecode(bytes(house.source) + b"/" + name))).write_bytes(name)
    (house.source / os.fsdecode(b"folder\xff")).mkdir()
    assert_comes_back(house)


def test_sparse_files_come_back_sparse(house: House) -> None:
    layouts = {
        "hole first": (5 << 20, 9 << 20),
        "hole last": (0, 9 << 20),
        "all hole": (None, 64 << 20),
        "mid": (3 << 20, 3 << 20),
    }
    for name, (data_at, size) in layouts.items():
        with (house.source / name).open("wb") as file:
            if data_at is not None:
                file.seek(data_at)
                file.write(noise(200_000))
            if size > file.tell():
                file.truncate(size)
    report = assert_comes_back(house)
    assert report.new_bytes < 2 << 20
    whole = house.root / "restored-0" / str(house.source).lstrip("/") / "all hole"
    assert whole.stat().st_blocks == 0


def test_a_path_longer_than_4096_comes_back(house: House) -> None:
    handle = os.open(house.source, os.O_RDONLY)
    try:
        for _ in range(30):
            os.mkdir("d" * 200, dir_fd=handle)
            inner = os.open("d" * 200, os.O_RDONLY, dir_fd=handle)
            os.close(handle)
            handle = inner
        deep = os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=handle)
        os.write(deep, b"down here")
        os.close(deep)
        os.symlink("deep", "link", dir_fd=handle)
        report = house.backup()
        assert (report.files, report.directories, report.skipped) == (2, 31, ())
        back = house.restore(house.root / "out")
        assert (back.files, back.directories, back.skipped, back.damaged) == (2, 31, (), ())
        assert _read_deep(house.root / "out" / str(house.source).lstrip("/"), ["d" * 200] * 30, "deep") == b"down here"
    finally:
        os.close(handle)


def test_a_tree_deeper_than_the_open_folders_allow_comes_back(house: House) -> None:
    """Folders far above the current one are closed, and opened again on the way back."""
    handle = os.open(house.source, os.O_RDONLY)
    for depth in range(450):
        if depth % 90 == 0:
            os.close(os.open("y", os.O_WRONLY | os.O_CREAT, dir_fd=handle))
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    report = house.backup()
    assert (report.files, report.directories, report.skipped) == (5, 451, ())
    back = house.restore(house.root / "out")
    assert (back.files, back.directories, back.skipped) == (5, 451, ())


def test_a_hundred_thousand_files_in_one_folder_come_back(house: House) -> None:
    handle = os.open(house.source, os.O_RDONLY)
    for n in range(100_000):
        os.close(os.open(b"%06d" % n, os.O_WRONLY | os.O_CREAT, dir_fd=handle))
    os.close(handle)
    (house.source / "050000").write_bytes(b"the one")
    report = house.backup()
    assert report.files == 100_000
    house.restore(house.root / "out", paths=(bytes(house.source) + b"/050000", bytes(house.source) + b"/099999"))
    found = house.root / "out" / str(house.source).lstrip("/")
    assert {file.name: file.read_bytes() for file in found.iterdir()} == {"050000": b"the one", "099999": b""}


def test_a_file_with_a_long_content_list_comes_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_INLINE_ROWS", 2)
    monkeypatch.setattr(content, "MAX_LIST_ROWS", 3)
    fill(house.source, {"large": noise(20 << 20), "other": noise(3 << 20)})
    rest()
    assert_comes_back(house)
    assert house.backup().unchanged == 3
    assert house.restored() == look(house.source)
    assert house.check(read_data=True).damaged == ()


def test_several_roots_lie_in_one_snapshot(house: House) -> None:
    fill(house.root, {"one/a": b"1", "two/b": b"2", "two/in/c": b"3", "three": b"4"})
    (house.root / "way").symlink_to(house.root / "two")
    paths = (house.root / "two", house.root / "one", house.root / "two/in", house.root / "way/in", house.root / "three")
    report = house.backup(paths=paths)
    assert (report.files, report.directories) == (4, 3)
    house.restore(house.root / "out")
    back = house.root / "out" / str(house.root).lstrip("/")
    assert look(back / "two") == look(house.root / "two")
    assert (back / "three").read_bytes() == b"4"


def test_a_root_that_does_not_exist_is_reported_and_the_others_are_stored(house: House) -> None:
    fill(house.source, {"a": b"1"})
    report = house.backup(paths=(house.source, house.root / "nowhere"))
    assert reasons(report.skipped) == {"nowhere": "No such file or directory"}
    assert report.files == 1


def _read_deep(root: Path, folders: list[str], name: str) -> bytes:
    handle = os.open(root, os.O_RDONLY)
    for folder in folders:
        inner = os.open(folder, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    file = os.open(name, os.O_RDONLY, dir_fd=handle)
    try:
        return os.read(file, 100)
    finally:
        os.close(file)
        os.close(handle)
