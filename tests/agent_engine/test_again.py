"""The second run and those that follow."""

import os
import random
from pathlib import Path

import pytest

from agent.engine import describe
from agent.engine.frames import CacheFailed
from tests.agent_engine.house import House, fill, look, rest

noise = random.Random(7).randbytes
LARGE = noise(4 << 20)


@pytest.fixture
def full_house(house: House) -> House:
    fill(house.source, {f"folder{n % 7}/{n}": noise(2_000) for n in range(200)} | {"large": LARGE})
    rest()
    house.backup()
    return house


def cache_file(house: House) -> Path:
    [file] = house.cache.glob("*/files-*")
    return file


def test_what_did_not_change_is_neither_read_nor_sent(full_house: House) -> None:
    report = full_house.backup()
    assert (report.unchanged, report.files, report.directories) == (209, 201, 8)
    assert (report.new_bytes, report.packs) == (0, 0)
    assert full_house.restored() == look(full_house.source)


def test_of_an_edit_in_a_large_file_a_small_part_is_sent(full_house: House) -> None:
    with (full_house.source / "large").open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"edited")
    report = full_house.backup()
    assert report.new_bytes < 3 << 20
    assert report.unchanged == report.files + report.directories - 1
    assert full_house.restored() == look(full_house.source)


def test_bytes_put_in_front_move_the_rest_and_little_is_sent(full_house: House) -> None:
    (full_house.source / "large").write_bytes(b"in front" + LARGE)
    assert full_house.backup().new_bytes < 3 << 20
    assert full_house.restored() == look(full_house.source)


def test_a_renamed_folder_sends_no_content(full_house: House) -> None:
    before = full_house.stored_chunks()
    (full_house.source / "folder3").rename(full_house.source / "renamed")
    report = full_house.backup()
    assert full_house.stored_chunks() == before
    assert report.new_bytes == 0
    assert full_house.restored() == look(full_house.source)


def test_copies_within_one_run_are_stored_once(house: House) -> None:
    fill(house.source, {f"copy{n}": b"the same text" * 50 for n in range(1_000)})
    house.backup()
    assert len(house.stored_chunks()) == 1
    assert house.restored() == look(house.source)


def test_files_that_go_are_gone_from_the_next_snapshot_and_stay_in_the_last(full_house: House) -> None:
    before, old = look(full_house.source), full_house.vault().snapshots()[-1].session
    (full_house.source / "large").unlink()
    full_house.backup()
    assert full_house.restored() == look(full_house.source)
    assert full_house.restored(old) | {b"": before[b""]} == before | {b"": before[b""]}


def test_without_its_cache_the_agent_sends_no_large_chunk_twice(full_house: House) -> None:
    before = full_house.stored_chunks()
    for file in full_house.cache.glob("*/files-*"):
        file.unlink()
    report = full_house.backup()
    assert report.unchanged == 0
    assert set(before) <= set(full_house.stored_chunks())
    assert len(full_house.stored_chunks()) == len(set(full_house.stored_chunks()))
    assert full_house.restored() == look(full_house.source)


@pytest.mark.parametrize("where", [0.0, 0.02, 0.5, 0.99])
def test_a_damaged_cache_costs_time_and_never_truth(full_house: House, where: float) -> None:
    file = cache_file(full_house)
    data = bytearray(file.read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    file.write_bytes(data)
    full_house.backup()
    assert full_house.restored() == look(full_house.source)
    assert full_house.check(read_data=True).sound


def test_a_torn_cache_costs_time_and_never_truth(full_house: House) -> None:
    file = cache_file(full_house)
    os.truncate(file, file.stat().st_size // 2)
    assert full_house.backup().new_bytes < 1 << 20
    assert full_house.restored() == look(full_house.source)


def test_a_changed_file_of_the_same_size_and_time_is_noticed(full_house: House) -> None:
    """The change time cannot be set back."""
    file = full_house.source / "folder1/1"
    times = file.stat()
    file.write_bytes(noise(2_000))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert full_house.backup().new_bytes > 0
    assert full_house.restored() == look(full_house.source)


def test_a_file_written_just_before_the_run_is_looked_at_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change within the same tick of the clock would not show in its times."""
    fill(house.source, {"fresh": b"1"})
    monkeypatch.setattr(describe, "TICK_NS", 10**12)
    house.backup()
    assert house.backup().unchanged == 0
    monkeypatch.undo()
    rest()
    house.backup()
    assert house.backup().unchanged == 2


def test_reread_reads_everything_and_sends_nothing(full_house: House) -> None:
    report = full_house.backup(reread=True)
    assert report.unchanged == 0
    assert full_house.restored() == look(full_house.source)


def test_a_mode_that_changed_renews_the_item_and_no_content(full_house: House) -> None:
    (full_house.source / "large").chmod(0o600)
    before = full_house.stored_chunks()
    full_house.backup()
    assert full_house.stored_chunks() == before
    assert full_house.restored() == look(full_house.source)


def test_a_damaged_index_counts_as_absent_and_its_chunks_are_sent_again(full_house: House) -> None:
    [index] = full_house.vault_root.glob("m/index/*/0")
    index.write_bytes(b"rubbish")
    for kept in full_house.cache.glob("*/indexes/*"):
        kept.unlink()
    report = full_house.backup()
    assert report.new_bytes >= len(LARGE)
    assert full_house.restored() == look(full_house.source)


def test_a_full_cache_is_an_error_in_words_and_not_trouble_with_a_file(full_house: House, little_disk: Path) -> None:
    fill(full_house.source, {f"many/{n}": b"" for n in range(2_000)})
    fill(little_disk, {"ballast": bytes(3_000_000)})
    with pytest.raises(CacheFailed, match="No space left"):
        full_house.backup(cache_dir=little_disk)
    assert full_house.backup().skipped == ()
