import os
import random

import pytest

from agent.engine import pages
from agent.engine.listing import find_item, list_items
from agent.folder_vault import FolderReader
from agent.vault import VaultObjectMissing
from shared.domain.errors import NotFound
from shared.domain.ids import SessionId
from shared.format import items, tables
from shared.format.errors import Damaged
from shared.format.items import ItemKind
from shared.format.names import PackName
from tests.agent_engine.house import KEYS, House, fill

noise = random.Random(7).randbytes


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of pages, and tables of tables."""
    monkeypatch.setattr(items, "MIN_PAGE_ITEMS", 2)
    monkeypatch.setattr(items, "MAX_PAGE_ITEMS", 4)
    monkeypatch.setattr(tables, "MAX_INLINE_ROWS", 8)
    monkeypatch.setattr(tables, "MAX_TABLE_ROWS", 16)
    assert pages.tables is tables


def listed(house: House, below: bytes = b"") -> list[bytes]:
    vault = house.vault()
    session = vault.snapshots()[-1].session
    return [item.path for item in list_items(vault.restore_reader(session), KEYS, session, below)]


def furnish(house: House) -> list[bytes]:
    tricky = ["a", "a-b/x", "a.b", "a0/1", "ab", "b/c/d/e", "b/c-d", "b/\x01/low", "z\udcff/high"]
    fill(house.source, {name + ("/f" if name == "a" else ""): b"x" for name in tricky})
    fill(house.source, {f"many/{n:03}": b"" for n in range(500)})
    house.backup()
    found = [bytes(house.source)]
    for folder, folders, files in os.walk(bytes(house.source)):
        found += [folder + b"/" + name for name in (*folders, *files)]
    return sorted((path.strip(b"/") for path in found), key=items.order)


@pytest.mark.usefixtures("small_pages")
def test_every_folder_lists_just_what_is_in_it(house: House) -> None:
    everything = furnish(house)
    assert listed(house) == everything
    for below in everything:
        expected = [path for path in everything if path == below or path.startswith(below + b"/")]
        assert listed(house, b"/" + below + b"/") == expected


@pytest.mark.usefixtures("small_pages")
def test_folders_above_the_roots_list_what_is_below(house: House) -> None:
    everything = furnish(house)
    assert listed(house, bytes(house.root)) == everything
    with pytest.raises(NotFound, match="no such folder is not in the snapshot"):
        listed(house, b"no such folder")


@pytest.mark.usefixtures("small_pages")
def test_one_path_among_many_is_found_by_halving(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(house)
    reads: list[int] = []
    real = FolderReader.pack_range

    def counted(self: FolderReader, pack: PackName, offset: int, length_bytes: int) -> bytes:
        reads.append(length_bytes)
        return real(self, pack, offset, length_bytes)

    monkeypatch.setattr(FolderReader, "pack_range", counted)
    vault = house.vault()
    session = vault.snapshots()[-1].session
    reader = vault.restore_reader(session)
    item = find_item(reader, KEYS, session, bytes(house.source) + b"/many/321")
    assert item is not None
    assert item.kind is ItemKind.FILE
    assert len(reads) <= 3
    assert find_item(reader, KEYS, session, bytes(house.source) + b"/many/nothing") is None


@pytest.mark.usefixtures("small_pages")
def test_what_can_be_listed_is_before_damage_is_raised(house: House) -> None:
    everything = furnish(house)
    metadata = max(house.packs(), key=lambda pack: pack.stat().st_size)
    data = bytearray(metadata.read_bytes())
    data[10] ^= 1
    metadata.write_bytes(data)
    vault = house.vault()
    session = vault.snapshots()[-1].session
    found: list[bytes] = []

    def read_on() -> None:
        for item in list_items(vault.restore_reader(session), KEYS, session):
            found.append(item.path)  # noqa: PERF401 - what comes before the damage is kept

    with pytest.raises(Damaged):
        read_on()
    assert len(everything) - 4 <= len(found) < len(everything)


def test_a_snapshot_that_does_not_exist_is_missing(house: House) -> None:
    reader = house.vault().restore_reader(None)
    with pytest.raises(VaultObjectMissing):
        list(list_items(reader, KEYS, SessionId("01kdvdna000000000000000009")))
