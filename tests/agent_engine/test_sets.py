"""Several backup sets on one device, and a backup that trusts nothing."""

from pathlib import Path

from agent.vault import SnapshotInfo
from shared.format.chunks import ChunkKind
from tests.agent_engine.house import House, fill, look, rest


def newest(house: House) -> SnapshotInfo:
    return house.vault().snapshots()[-1]


def test_each_set_of_roots_has_a_memory_of_its_own(house: House) -> None:
    a, b = house.source / "a", house.source / "b"
    fill(a, {f"{n}": b"%d" % n for n in range(20)})
    fill(b, {f"{n}": b"b%d" % n for n in range(20)})
    rest()
    house.backup(paths=(a,), backup_set="a")
    house.backup(paths=(b,), backup_set="b")
    again = house.backup(paths=(a,), backup_set="a")
    assert (again.unchanged, again.new_bytes, newest(house).backup_set) == (21, 0, "a")
    assert house.backup(paths=(b,)).unchanged == 21
    assert newest(house).backup_set == ""


def test_an_active_full_backup_reads_and_stores_everything_anew(house: House) -> None:
    fill(house.source, {"large": bytes(range(256)) * 8_000, "small": b"small"})
    rest()
    house.backup()
    first = sorted(house.stored_chunks())
    full = house.backup(anew=True)
    assert (full.unchanged, full.new_bytes) == (0, full.logical_bytes)
    assert sorted(house.stored_chunks()) == sorted(first * 2)
    before = {pack for pack in house.packs() if pack.parent.name != full.session}
    for pack in before:
        pack.unlink()
    assert house.restored() == look(house.source)
    assert house.check(session=full.session).sound
    after = house.backup()
    assert (after.unchanged, after.new_bytes) == (3, 0)
    assert len(house.stored_chunks(ChunkKind.DATA)) == len(first)


def test_an_active_full_backup_heals_what_was_damaged_without_anybodys_notice(house: House) -> None:
    fill(house.source, {"large": bytes(range(256)) * 8_000})
    house.backup()
    for pack in house.packs():
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 1
        pack.write_bytes(data)
    full = house.backup(anew=True)
    assert house.check(session=full.session, read_data=True).sound
    assert house.restored() == look(house.source)


def test_ignored_folders_are_not_even_opened(house: House) -> None:
    fill(house.source, {"keep/a": b"1", "skip/b": b"2", "keep/c.tmp": b"3", "keep/d.tmp": b"4"})
    house.backup(ignore=("skip/", "*.tmp", f"!{house.source}/keep/d.tmp"))
    found = [path.name for path in _restored(house).rglob("*") if path.is_file()]
    assert sorted(found) == ["a", "d.tmp"]


def _restored(house: House) -> Path:
    house.restore(house.root / "out")
    return house.root / "out" / str(house.source).lstrip("/")
