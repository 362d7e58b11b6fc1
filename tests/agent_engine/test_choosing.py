"""What a backup takes and what it leaves out."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.engine.globs import Rules
from shared.domain.errors import NotFound
from tests.agent_engine.house import House, fill


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "fits"),
    [
        ("*.tmp", b"home/a.tmp", False, True),
        ("*.tmp", b"home/.x.tmp", False, True),
        ("*.tmp", b"home/a.tmpx", False, False),
        ("node_modules", b"x/y/node_modules", True, True),
        ("node_modules/", b"x/node_modules", True, True),
        ("node_modules/", b"x/node_modules", False, False),
        ("/home/*/.cache", b"home/me/.cache", True, True),
        ("home/*/.cache", b"home/me/.cache", True, True),
        ("/home/*/.cache", b"home/me/in/.cache", True, False),
        ("/home/**/x", b"home/a/b/x", False, True),
        ("/home/**/x", b"home/x", False, True),
        ("/a", b"b/a", False, False),
        ("?", b"q/x", False, True),
        ("?", b"q/xy", False, False),
        ("[ab]c", b"ac", False, True),
        ("[!ab]c", b"ac", False, False),
        ("ü*", "d/über".encode(), False, True),
        ("*\udcff", b"d/x\xff", False, True),
        ("a.b", b"aXb", False, False),
        ("*.log", b"d/new\nline.log", False, True),
    ],
)
def test_a_pattern_fits_what_it_says(pattern: str, path: bytes, folder: bool, fits: bool) -> None:
    assert (Rules.of([], [pattern]).leaves_out(path, folder) is not None) == fits


def test_an_include_takes_all_that_lies_in_what_it_fits_and_an_exclude_wins() -> None:
    rules = Rules.of(["documents", "*.txt"], ["*.bak"])
    assert rules.leaves_out(b"home/documents/deep/x", False) is None
    assert rules.leaves_out(b"home/a.txt", False) is None
    assert rules.leaves_out(b"home/music", True) is None
    assert rules.leaves_out(b"home/music/x", False) == "not included"
    assert rules.leaves_out(b"home/documents/x.bak", False) == "excluded"


def names(house: House, **changes: Any) -> set[str]:
    house.backup(**changes)
    out = house.root / "out"
    house.restore(out)
    back = out / str(house.source).lstrip("/")
    return {str(path.relative_to(back)) for path in back.rglob("*")}


def test_excluded_folders_are_not_entered(house: House) -> None:
    fill(house.source, {"keep/a": b"", "drop/a": b"", "drop/in/b": b"", "x.tmp": b""})
    assert names(house, exclude=("drop/", "*.tmp")) == {"keep", "keep/a"}


def test_includes_limit_the_files(house: House) -> None:
    fill(house.source, {"a.txt": b"", "b.bin": b"", "d/c.txt": b"", "d/d.bin": b""})
    assert names(house, include=("*.txt",)) == {"a.txt", "d", "d/c.txt"}


def test_the_agents_own_folder_is_left_out(house: House) -> None:
    fill(house.source, {"a": b""})
    inside = house.source / "cache"
    assert names(house, cache_dir=inside) == {"a", "cache"}


@pytest.fixture
def mounted(house: House) -> Iterator[Path]:
    place = house.source / "mounted"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, timeout=20)
    if mount.returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True, timeout=20)


def test_one_file_system_means_one(house: House, mounted: Path) -> None:
    fill(house.source, {"a": b"", "mounted/inside": b"x"})
    assert names(house, one_file_system=True) == {"a", "mounted"}


def test_without_it_mounts_are_entered(house: House, mounted: Path) -> None:
    fill(house.source, {"a": b"", "mounted/inside": b"x"})
    assert names(house) == {"a", "mounted", "mounted/inside"}


def test_nothing_to_back_up_is_an_error_in_words(house: House) -> None:
    with pytest.raises(NotFound, match=r"there is no .*nowhere"):
        house.backup(paths=(house.root / "nowhere",))
    assert house.vault().snapshots() == []


def test_a_named_link_is_stored_as_a_link_and_a_link_on_the_way_is_followed(house: House) -> None:
    fill(house.root, {"real/d/f": b"x"})
    (house.root / "way").symlink_to("real")
    house.backup(paths=(house.root / "way", house.root / "way/d"))
    house.restore(house.root / "out")
    back = house.root / "out" / str(house.root).lstrip("/")
    assert (back / "way").readlink() == Path("real")
    assert (back / "real/d/f").read_bytes() == b"x"
