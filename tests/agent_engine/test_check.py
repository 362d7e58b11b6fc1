import random
from pathlib import Path

import pytest

from shared.domain.errors import NotFound
from shared.domain.ids import SessionId
from tests.agent_engine.house import House, fill, rest

noise = random.Random(7).randbytes


@pytest.fixture
def full_house(house: House) -> House:
    fill(house.source, {f"s/{n}": noise(2_000) for n in range(100)} | {"large": noise(3 << 20)})
    rest()
    house.backup()
    fill(house.source, {"s/new": b"new"})
    house.backup()
    return house


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_a_sound_vault_is_called_sound(full_house: House) -> None:
    report = full_house.check(read_data=True)
    assert report.damaged == ()
    assert (report.snapshots, report.entries) == (2, 103 + 104)
    assert report.packs == len(full_house.packs())
    assert report.read_bytes == sum(pack.stat().st_size for pack in full_house.packs())


def test_one_snapshot_can_be_checked_alone(full_house: House) -> None:
    first = full_house.vault().snapshots()[0].session
    assert full_house.check(session=first).snapshots == 1
    with pytest.raises(NotFound):
        full_house.check(session=SessionId("01kdvdna000000000000000009"))


@pytest.mark.parametrize("at", [0, 5_000, -1, -40])
def test_a_flipped_bit_anywhere_in_any_pack_is_found(full_house: House, at: int) -> None:
    for pack in full_house.packs():
        place = at if abs(at) < pack.stat().st_size else 0
        flip(pack, place)
        report = full_house.check(read_data=True)
        assert any(pack.name in f"{trouble.path} {trouble.reason}" for trouble in report.damaged)
        flip(pack, place)


@pytest.mark.parametrize("kind", ["index", "head", "refs"])
@pytest.mark.parametrize("at", [0, 7, 100, -1])
def test_a_flipped_bit_in_any_other_object_is_found(full_house: House, kind: str, at: int) -> None:
    for file in sorted((full_house.vault_root / "m" / kind).rglob("*")):
        if file.is_file():
            flip(file, at)
            assert full_house.check().damaged
            flip(file, at)
    assert full_house.check().sound


def test_every_missing_object_is_named(full_house: House) -> None:
    files = [file for folder in ("d", "m") for file in (full_house.vault_root / folder).rglob("*") if file.is_file()]
    assert len(files) > 8
    for file in files:
        data = file.read_bytes()
        file.unlink()
        damaged = full_house.check().damaged
        assert any(file.name in f"{trouble.path} {trouble.reason}" for trouble in damaged), file
        file.write_bytes(data)


def test_a_pack_of_the_wrong_size_is_found_without_reading_it(full_house: House) -> None:
    for pack in full_house.packs():
        data = pack.read_bytes()
        pack.write_bytes(data + b"\0")
        assert any(pack.name in trouble.path for trouble in full_house.check().damaged)
        pack.write_bytes(data)


def test_refs_that_keep_too_little_alive_are_found(full_house: House) -> None:
    """A pack that the refs do not name would be swept away."""
    first, second = (full_house.vault_root / "m/refs" / info.session for info in full_house.vault().snapshots())
    lines = second.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(b"pack " + first.name.encode())]
    assert len(kept) < len(lines)
    second.write_bytes(b"".join(kept))
    damaged = full_house.check().damaged
    assert any("do not keep" in trouble.reason for trouble in damaged)
