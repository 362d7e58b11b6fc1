"""Finding, comparing and walking through snapshots without reading more than is needed."""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.engine import pages
from agent.engine.diff import Change, diff
from agent.engine.find import Found, find
from agent.engine.library import Library, room
from agent.engine.snapshot import Snapshot
from agent.engine.tree import Tree
from agent.folder_vault import FolderReader
from shared.format import items, tables
from shared.format.errors import Damaged
from shared.format.items import ItemKind
from shared.format.names import PackName
from tests.agent_engine.house import KEYS, House, fill, rest

noise = random.Random(7).randbytes


@dataclass
class Reads:
    packs: list[int] = field(default_factory=list[int])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Of packs, from now on."""
    seen, real = Reads(), FolderReader.pack_range

    def counted(self: FolderReader, pack: PackName, offset: int, length_bytes: int) -> bytes:
        seen.packs.append(length_bytes)
        return real(self, pack, offset, length_bytes)

    monkeypatch.setattr(FolderReader, "pack_range", counted)
    return seen


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of pages, and tables of tables."""
    monkeypatch.setattr(items, "MIN_PAGE_ITEMS", 2)
    monkeypatch.setattr(items, "MAX_PAGE_ITEMS", 4)
    monkeypatch.setattr(tables, "MAX_INLINE_ROWS", 8)
    monkeypatch.setattr(tables, "MAX_TABLE_ROWS", 16)
    assert pages.tables is tables


def snapshots(house: House) -> list[Snapshot]:
    vault = house.vault()
    sessions = [info.session for info in vault.snapshots()]
    return Snapshot.open_all(vault.restore_reader(None), KEYS, sessions)


def found(house: House, pattern: str) -> Found:
    vault = house.vault()
    return find(pattern, vault.snapshots(), vault.restore_reader(None), KEYS)


def tell(house: House, where: Found) -> dict[str, list[int]]:
    """Last names with, version by version, the number of snapshots."""
    told: dict[str, list[int]] = {}
    for item, sessions in where.versions:
        told.setdefault(os.fsdecode(item.path).rsplit("/", 1)[-1], []).append(len(sessions))
    return told


def test_a_name_is_found_in_every_snapshot_that_has_it(house: House) -> None:
    fill(house.source, {"a/report.txt": b"first", "a/other": b"x", "report.txt.d/in": b"y", "late": b"z"})
    house.backup()
    fill(house.source, {"a/report.txt": b"second", "b/late.txt": b"new"})
    house.backup()
    house.backup()
    assert tell(house, found(house, "report.txt")) == {"report.txt": [1, 2]}
    assert tell(house, found(house, "late*")) == {"late": [3], "late.txt": [2]}
    assert tell(house, found(house, "*.d/")) == {"report.txt.d": [3]}
    assert tell(house, found(house, "/**/b/*")) == {"late.txt": [2]}
    assert found(house, "nothing").versions == ()


@pytest.mark.usefixtures("small_pages")
def test_pages_that_snapshots_share_are_read_once(house: House, reads: Reads) -> None:
    fill(house.source, {f"{n:03}": b"" for n in range(200)})
    house.backup()
    found(house, "150")
    once = sum(reads.packs)
    for n in range(3):
        fill(house.source, {"150": b"%d" % n})
        rest()
        house.backup()
    reads.packs.clear()
    assert sum(tell(house, found(house, "150"))["150"]) == 4
    assert sum(reads.packs) < 2 * once


def test_damage_is_told_and_the_rest_is_found(house: House) -> None:
    fill(house.source, {f"{n:05}": b"" for n in range(6_000)})
    house.backup()
    metadata = max(house.packs(), key=lambda pack: pack.stat().st_size)
    data = bytearray(metadata.read_bytes())
    data[10] ^= 1
    metadata.write_bytes(data)
    where = found(house, "0*")
    assert len(where.troubles) == 1
    assert 0 < len(where.versions) < 6_000
    with pytest.raises(Damaged):
        list(Tree(snapshots(house)[0]).children(bytes(house.source)[1:]))


def changes(house: House, below: bytes = b"") -> dict[str, Change]:
    before, after = snapshots(house)
    found = diff(before, after, below)
    return {os.path.relpath(os.fsdecode(each.path), str(house.source)[1:]): each.change for each in found}


@pytest.mark.usefixtures("small_pages")
def test_two_snapshots_differ_in_what_was_changed_and_in_nothing_else(house: House, reads: Reads) -> None:
    fill(
        house.source,
        {f"many/{n:03}": b"%d" % n for n in range(400)} | {"a/b": b"1", "a-b": b"2", "big": noise(1 << 20)},
    )
    (house.source / "link").symlink_to("a")
    house.backup()
    fill(house.source, {"many/100": b"other", "new/file": b"n", "big": noise(1 << 20)})
    (house.source / "a/b").unlink()
    (house.source / "a-b").chmod(0o600)
    (house.source / "link").unlink()
    (house.source / "link").symlink_to("b")
    rest()
    house.backup()
    reads.packs.clear()
    assert changes(house) == {
        ".": Change.ATTRIBUTES,
        "a": Change.ATTRIBUTES,
        "a/b": Change.REMOVED,
        "a-b": Change.ATTRIBUTES,
        "big": Change.CHANGED,
        "link": Change.CHANGED,
        "many/100": Change.CHANGED,
        "new": Change.ADDED,
        "new/file": Change.ADDED,
    }
    assert len(reads.packs) < 60
    assert set(changes(house, bytes(house.source)[1:] + b"/new")) == {"new", "new/file"}


@pytest.mark.usefixtures("small_pages")
def test_a_tree_lists_one_folder_without_reading_what_is_deeper(house: House, reads: Reads) -> None:
    fill(
        house.source,
        {f"deep/{n}/{m:03}": b"" for n in range(4) for m in range(100)} | {"a/b": b"", "a-b": b"", "z": b""},
    )
    house.backup()
    [snapshot] = snapshots(house)
    tree, root = Tree(snapshot), bytes(house.source)[1:]
    reads.packs.clear()
    for folder in (house.source, house.source / "deep", house.source / "a", house.source / "deep/2"):
        inside = sorted(folder.iterdir(), key=lambda path: items.order(bytes(path)))
        assert [item.path for item in tree.children(bytes(folder)[1:])] == [bytes(path)[1:] for path in inside]
    assert len(reads.packs) < 60
    above = list(tree.children(b""))
    assert [(item.path, item.kind) for item in above] == [(root.split(b"/")[0], ItemKind.DIRECTORY)]
    for path, kind in ((root, 1), (root + b"/z", 1), (root.split(b"/")[0], 1), (b"", 1), (root + b"/zz", 0), (b"x", 0)):
        assert (tree.find(path) is not None) == bool(kind), path


def test_a_library_reads_any_part_of_any_file(house: House) -> None:
    fill(house.source, {"large": noise(3 << 20), "small": b"small", "neighbour": b"other"})
    os.link(house.source / "small", house.source / "zlink")
    with (house.source / "sparse").open("wb") as file:
        file.seek(5 << 20)
        file.write(b"end")
    house.backup()
    vault = house.vault()
    [info] = vault.snapshots()
    library = Library([info], vault.restore_reader(None), KEYS)
    assert list(library.names(b"")) == [room(info)]
    inside = room(info) + bytes(house.source)
    assert sorted(library.names(inside)) == [b"large", b"neighbour", b"small", b"sparse", b"zlink"]
    for name in ("large", "small", "zlink", "sparse"):
        data, path = (house.source / name).read_bytes(), inside + b"/" + name.encode()
        item = library.item(path)
        assert item is not None
        assert (item.kind, item.size) == (ItemKind.FILE, len(data))
        for offset, length in ((0, len(data)), (3, 1), (len(data) - 2, 100), (len(data) // 2, 300_000), (len(data), 1)):
            assert library.read(path, offset, length) == data[offset : offset + length]
    assert library.item(inside + b"/nothing") is None
    assert library.item(b"no room/at all") is None


def test_a_library_never_gives_a_wrong_byte(house: House) -> None:
    fill(house.source, {"large": noise(1 << 20)})
    house.backup()
    pack = max(house.packs(), key=lambda file: file.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[1000] ^= 1
    pack.write_bytes(data)
    vault = house.vault()
    [info] = vault.snapshots()
    library = Library([info], vault.restore_reader(None), KEYS)
    with pytest.raises(Damaged):
        library.read(room(info) + bytes(house.source) + b"/large", 0, 1 << 20)
    assert Path(house.source / "large").exists()
