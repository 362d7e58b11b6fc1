"""A vault with one object damaged somehow: what is restored is right, and what is not is named. Never a wrong byte."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.vault import VaultObjectMissing
from shared.format.errors import Damaged
from tests.agent_engine.house import House, Seen, fill, look, rest
from tests.format.damage import bits, flipped


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, dict[bytes, Seen]]:
    """Two snapshots of small files, a large one and a link."""
    house, chance = House(tmp_path_factory.mktemp("kept")), random.Random(5)
    house.source.mkdir()
    fill(house.source, {f"d{n % 3}/f{n}": chance.randbytes(3_000) for n in range(40)})
    fill(house.source, {"large": chance.randbytes(700_000), "text": b"words " * 9_000})
    (house.source / "link").hardlink_to(house.source / "text")
    rest()
    house.backup()
    fill(house.source, {"d1/new": b"something new"})
    rest()
    house.backup()
    return house, look(house.source)


def _damaged(data: st.DataObject, body: bytes, others: list[Path]) -> bytes | None:
    """Another body for an object; None: it is gone."""
    match data.draw(st.sampled_from(["flip", "cut", "grow", "swap", "gone", "empty"])):
        case "flip":
            return flipped(body, data.draw(bits))
        case "cut":
            return body[: data.draw(st.integers(0, len(body) - 1))]
        case "grow":
            return body + data.draw(st.binary(min_size=1, max_size=50))
        case "swap":
            return data.draw(st.sampled_from(others)).read_bytes()
        case "empty":
            return b""
        case _:
            return None


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_restore_from_a_damaged_vault_brings_no_wrong_byte(
    kept: tuple[House, dict[bytes, Seen]], data: st.DataObject
) -> None:
    house, source = kept
    objects = sorted(path for part in ("d", "m") for path in (house.vault_root / part).rglob("*") if path.is_file())
    victim = data.draw(st.sampled_from(objects))
    whole, target = victim.read_bytes(), house.root / "out"
    hurt = _damaged(data, whole, objects)
    if hurt is None:
        victim.unlink()
    else:
        victim.write_bytes(hurt)
    try:
        _restores_right_or_says_so(house, source, target)
        _check_sees_it(house, hurt != whole, victim)
    finally:
        victim.write_bytes(whole)
        shutil.rmtree(target, ignore_errors=True)


def _named[T](read: Callable[[], T]) -> T | str:
    """What it gives, or the object that it cannot do without."""
    try:
        return read()
    except (Damaged, VaultObjectMissing) as error:
        return error.name


def _restores_right_or_says_so(house: House, source: dict[bytes, Seen], target: Path) -> None:
    report = _named(lambda: house.restore(target))
    if isinstance(report, str):
        assert "/" in report
        return
    back = target / str(house.source).lstrip("/")
    for folder, _, files in os.walk(back):
        for name in files:
            path = Path(folder, name)
            assert look(path)[b""].content == source[bytes(path.relative_to(back))].content
    if not report.damaged and not report.skipped:
        assert look(back).keys() == source.keys()


def _check_sees_it(house: House, changed: bool, victim: Path) -> None:
    report = _named(lambda: house.check(read_data=True))
    if isinstance(report, str):
        assert victim.name in report
    elif victim.parent.name != "refs":  # their signature is the service's to verify, which knows every device's key
        assert report.sound is not changed
