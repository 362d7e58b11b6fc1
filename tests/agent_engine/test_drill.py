"""Drills, and checks of a sample."""

import random
from pathlib import Path

import pytest

from agent.engine.drill import DrillOrder, DrillReport, drill
from agent.engine.orders import Silence
from agent.folder_vault import FolderReader
from shared.format.names import PackName
from tests.agent_engine.house import KEYS, House, fill

noise = random.Random(7).randbytes


def drilled(
    house: House, files: int = 10, most_bytes: int = 1 << 30, seed: int = 1, name: str = "drill"
) -> DrillReport:
    vault = house.vault()
    session = vault.snapshots()[-1].session
    order = DrillOrder(session, house.root / name, files, most_bytes, random.Random(seed))
    return drill(order, vault.restore_reader(session), KEYS, Silence())


def restored(house: House, name: str = "drill") -> set[str]:
    return {path.name for path in (house.root / name).rglob("*") if path.is_file()}


@pytest.fixture
def full_house(house: House) -> House:
    fill(house.source, {f"d{n % 7}/{n:03}": noise(500) for n in range(300)} | {"large": noise(2 << 20)})
    house.backup()
    return house


def test_a_drill_restores_so_many_files_and_compares_them(full_house: House) -> None:
    report = drilled(full_house)
    assert (report.files, report.passed) == (10, True)
    assert len(restored(full_house)) == 10
    assert report.seconds > 0


def test_every_file_comes_to_be_drilled(full_house: House) -> None:
    seen = set[str]()
    for seed in range(2):
        drilled(full_house, 200, seed=seed, name=f"drill{seed}")
        seen |= restored(full_house, f"drill{seed}")
    assert len(seen) > 250


def test_a_drill_keeps_within_its_bytes(full_house: House) -> None:
    report = drilled(full_house, 1_000, 5_000)
    assert (report.files, report.logical_bytes) == (10, 5_000)
    assert "large" not in restored(full_house)


def test_damage_fails_a_drill_and_is_named(full_house: House) -> None:
    for pack in full_house.packs():
        if pack.stat().st_size > 400_000:
            pack.unlink()
    report = drilled(full_house, 1_000)
    assert not report.passed
    assert any(trouble.path.endswith("large") for trouble in report.troubles)
    assert report.files < 301


def test_a_snapshot_without_files_passes_with_none(house: House) -> None:
    (house.source / "folder").mkdir()
    house.backup()
    assert drilled(house) == DrillReport(house.vault().snapshots()[-1].session, 0, 0, 0, 0.0, ())


def test_a_check_of_a_share_reads_that_many_packs_and_sizes_the_others(
    full_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dict.fromkeys((PackName.parse(f"{file.parent.name}/{file.name}") for file in full_house.packs()), 0)
    real = FolderReader.pack_range

    def counted(self: FolderReader, pack: PackName, offset: int, length_bytes: int) -> bytes:
        whole[pack] += (offset, length_bytes) == (0, self.pack_size_bytes(pack))
        return real(self, pack, offset, length_bytes)

    monkeypatch.setattr(FolderReader, "pack_range", counted)
    assert len(whole) >= 4
    assert full_house.check(read_data=True, read_share=0.5).sound
    read = sum(number > 0 for number in whole.values())
    assert len(whole) // 2 <= read < len(whole)
    Path(max(full_house.packs(), key=lambda file: file.stat().st_size)).unlink()
    assert not full_house.check(read_data=True, read_share=0.01).sound
