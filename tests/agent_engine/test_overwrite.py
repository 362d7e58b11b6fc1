"""What a restore into a place where something is already does, says it would do, and finds afterwards."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.engine.orders import RestoreOrder
from agent.engine.preview import Preview, preview
from agent.engine.verdicts import Act
from agent.overwrite import Overwrite
from tests.agent_engine.house import KEYS, House, fill, look, reasons

OLD, NEW = 1_000_000_000, 2_000_000_000


@pytest.fixture
def lived_in(house: House) -> House:
    """A snapshot, and a source that went on: one file edited, one newer, one gone, one only with another mode."""
    names = ("edited", "newer", "gone", "mode", "same", "d/large", "d/same")
    fill(house.source, {name: name.encode() for name in names} | {"d/large": os.urandom(600_000)})
    os.link(house.source / "same", house.source / "zlink")
    (house.source / "link").symlink_to("same")
    for name in names:
        os.utime(house.source / name, (OLD + 5, OLD + 5))
    house.backup()
    fill(house.source, {"edited": b"EDITED", "newer": b"NEWER!"})
    os.utime(house.source / "edited", (OLD, OLD))
    os.utime(house.source / "newer", (NEW, NEW))
    (house.source / "gone").unlink()
    (house.source / "mode").chmod(0o600)
    return house


def told(house: House, **changes: Any) -> Preview:
    vault = house.vault()
    session = vault.snapshots()[-1].session
    order = replace(RestoreOrder(session, Path("/")), **changes)
    return preview(order, vault.restore_reader(session), KEYS)


def acts(found: Preview) -> dict[str, Act]:
    return {change.path.rsplit("/", 1)[-1]: change.act for change in found.changes}


def test_changed_replaces_what_differs_and_reads_nothing_else(lived_in: House) -> None:
    before = (lived_in.source / "d/large").stat().st_ino
    assert acts(told(lived_in, overwrite=Overwrite.CHANGED)) == {
        "source": Act.REPLACE,  # its time
        "edited": Act.REPLACE,
        "newer": Act.REPLACE,
        "gone": Act.CREATE,
        "mode": Act.REPLACE,
    }
    report = lived_in.restore(Path("/"), overwrite=Overwrite.CHANGED, verify=True)
    assert report.complete
    assert (report.files, report.unchanged, report.verified) == (4, 5, 11)
    assert report.read_bytes < 2_000
    assert (lived_in.source / "d/large").stat().st_ino == before
    assert (lived_in.source / "edited").read_bytes() == b"edited"
    assert (lived_in.source / "mode").stat().st_mode & 0o777 == 0o644
    assert (lived_in.source / "same").samefile(lived_in.source / "zlink")
    assert told(lived_in, overwrite=Overwrite.CHANGED).changes == []


def test_if_newer_leaves_what_is_newer_alone_and_says_so(lived_in: House) -> None:
    promised = acts(told(lived_in, overwrite=Overwrite.IF_NEWER))
    assert promised == {"edited": Act.REPLACE, "newer": Act.KEEP, "gone": Act.CREATE, "mode": Act.KEEP}
    report = lived_in.restore(Path("/"), overwrite=Overwrite.IF_NEWER)
    assert set(reasons(report.skipped).values()) == {"what is there is not older"}
    assert set(reasons(report.skipped)) == {"newer", "mode"}
    assert (lived_in.source / "newer").read_bytes() == b"NEWER!"
    assert (lived_in.source / "edited").read_bytes() == b"edited"


def test_never_makes_only_what_is_not_there(lived_in: House) -> None:
    before = look(lived_in.source)
    promised = told(lived_in)
    report = lived_in.restore(Path("/"))
    assert (report.files, len(report.skipped)) == (promised.create, promised.keep) == (1, 8)
    after = look(lived_in.source)
    assert after.pop(b"gone")
    after[b""] = before[b""]  # its time
    assert after == before


def test_always_makes_all_anew(lived_in: House) -> None:
    promised = told(lived_in, overwrite=Overwrite.ALWAYS)
    report = lived_in.restore(Path("/"), overwrite=Overwrite.ALWAYS, verify=True)
    assert (promised.create, promised.replace, promised.unchanged, promised.keep) == (1, 9, 1, 0)  # `d` itself
    assert (report.files, report.complete, report.verified) == (9, True, 11)


def test_a_dry_run_touches_nothing(lived_in: House) -> None:
    before = look(lived_in.source)
    for rule in Overwrite:
        told(lived_in, overwrite=rule)
        found = told(lived_in, overwrite=rule, target=lived_in.root / "not there")
        assert (found.create, found.replace, found.keep) == (11, 0, 0)
    assert look(lived_in.source) == before
    assert not (lived_in.root / "not there").exists()


def test_a_dry_run_knows_what_stands_in_the_way(lived_in: House) -> None:
    (lived_in.source / "edited").unlink()
    (lived_in.source / "edited").mkdir()
    (lived_in.source / "d/large").unlink()
    (lived_in.source / "d/same").unlink()
    (lived_in.source / "d").rmdir()
    (lived_in.source / "d").symlink_to(lived_in.root)
    promised = acts(told(lived_in, overwrite=Overwrite.ALWAYS))
    assert (promised["edited"], promised["d"], promised["large"]) == (Act.KEEP, Act.REPLACE, Act.CREATE)
    report = lived_in.restore(Path("/"), overwrite=Overwrite.ALWAYS)
    assert reasons(report.skipped) == {"edited": "a folder is in its place"}
    assert (lived_in.source / "d/large").stat().st_size == 600_000


@pytest.mark.parametrize("where", ["small", "large", "link", "zlink", "hole"])
def test_verifying_finds_every_byte_that_is_not_the_snapshots(house: House, where: str) -> None:
    fill(house.source, {"small": b"small", "large": os.urandom(3 << 20), "two": b"two"})
    with (house.source / "hole").open("wb") as file:
        file.seek(9 << 20)
        file.write(b"end")
    os.link(house.source / "two", house.source / "zlink")
    (house.source / "link").symlink_to("small")
    house.backup()
    assert house.restore(house.root / "out", verify=True).verified == 7
    spoilt = house.root / "out" / str(house.source).lstrip("/") / where
    times = spoilt.lstat().st_mtime_ns
    if where == "link":
        spoilt.unlink()
        spoilt.symlink_to("large")
    else:
        with spoilt.open("r+b") as file:
            file.seek(1)
            file.write(b"!")
    os.utime(spoilt, ns=(times, times), follow_symlinks=False)
    report = house.restore(house.root / "out", overwrite=Overwrite.IF_NEWER, verify=True)
    assert where in reasons(report.differing)
    assert not report.complete


def test_globs_pick_files_and_the_folders_above_come_back_as_they_were(house: House) -> None:
    fill(house.source, {"a/b/one.txt": b"1", "a/two.txt": b"2", "a/skip/three.txt": b"3", "c/four.bin": b"4"})
    (house.source / "a").chmod(0o750)
    (house.source / "a/b").chmod(0o700)
    os.utime(house.source / "a", (OLD, OLD))
    house.backup()
    report = house.restore(house.root / "out", include=("*.txt",), exclude=("skip",))
    back = house.root / "out" / str(house.source).lstrip("/")
    found = look(back)
    assert set(found) == {b"", b"a", b"a/b", b"a/b/one.txt", b"a/two.txt"}
    was = look(house.source)
    assert all(found[path] == was[path] for path in found)
    assert (report.files, report.complete) == (2, True)
    assert reasons(house.restore(house.root / "none", include=("*.doc",)).skipped) == {
        "": "it is not in the snapshot, or nothing in it fits"
    }


def test_a_single_path_brings_its_parents_with_their_modes_and_leaves_those_that_are_there(house: House) -> None:
    fill(house.source, {"private/deep/file": b"x", "private/other": b"y"})
    (house.source / "private").chmod(0o700)
    (house.source / "private/deep").chmod(0o2710)
    house.backup()
    path = bytes(house.source) + b"/private/deep/file"
    out = house.root / "out" / str(house.source).lstrip("/")
    house.restore(house.root / "out", paths=(path,))
    assert [(out / name).stat().st_mode & 0o7777 for name in ("private", "private/deep")] == [0o700, 0o2710]
    (out / "private").chmod(0o711)
    report = house.restore(house.root / "out", paths=(path,), overwrite=Overwrite.ALWAYS)
    assert (out / "private").stat().st_mode & 0o777 == 0o711
    assert (report.files, report.directories) == (1, 0)


def test_a_link_in_the_place_of_a_folder_above_is_not_followed_and_not_replaced(house: House) -> None:
    fill(house.source, {"above/file": b"x"})
    house.backup()
    elsewhere = house.root / "elsewhere"
    elsewhere.mkdir()
    out = house.root / "out" / str(house.source).lstrip("/")
    out.mkdir(parents=True)
    (out / "above").symlink_to(elsewhere)
    report = house.restore(
        house.root / "out", paths=(bytes(house.source) + b"/above/file",), overwrite=Overwrite.ALWAYS
    )
    assert not report.complete
    assert (out / "above").is_symlink()
    assert not list(elsewhere.iterdir())
