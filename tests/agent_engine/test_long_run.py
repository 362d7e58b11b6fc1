"""Many days in the life of a device: edits, cut lines, lost caches; every snapshot restores as the day was."""

import random
import shutil
from pathlib import Path

import pytest

from shared.domain.ids import SessionId
from tests.agent_engine.faults import CutAt, FaultyVault, LineCut
from tests.agent_engine.house import House, Seen, look

DAYS = 10


class Life:
    """Random edits that follow from a seed."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)

    def edit(self) -> None:
        for _ in range(self.chance.randrange(1, 25)):
            self.chance.choice((self._write, self._write, self._append, self._remove, self._move, self._link))()

    def _files(self) -> list[Path]:
        return sorted(path for path in self.house.source.rglob("*") if path.is_file() and not path.is_symlink())

    def _new(self) -> Path:
        folder = self.house.source / f"d{self.chance.randrange(4)}" / f"e{self.chance.randrange(3)}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"f{self.chance.randrange(1000)}"

    def _write(self) -> None:
        path = self._new()
        path.unlink(missing_ok=True)
        path.write_bytes(self.chance.randbytes(self.chance.choice((0, 10, 3_000, 90_000, 700_000))))

    def _append(self) -> None:
        for path in self._files()[:1]:
            with path.open("ab") as file:
                file.write(self.chance.randbytes(1_000))

    def _remove(self) -> None:
        files = self._files()
        if files:
            self.chance.choice(files).unlink()

    def _move(self) -> None:
        files = self._files()
        if files:
            self.chance.choice(files).replace(self._new())

    def _link(self) -> None:
        files, new = self._files(), self._new()
        if files and not new.exists():
            new.hardlink_to(self.chance.choice(files))

    def night(self) -> SessionId:
        """A backup over a line that may be cut, and a cache that may be lost."""
        if self.chance.random() < 0.2:
            shutil.rmtree(self.house.cache, ignore_errors=True)
        for _ in range(self.chance.randrange(3)):
            try:
                return self.house.backup(FaultyVault(self.house.vault(), CutAt(self.chance.randrange(30)))).session
            except LineCut:
                continue
        return self.house.backup().session


@pytest.mark.parametrize("seed", range(3))
def test_every_day_of_a_long_life_comes_back_as_it_was(house: House, seed: int) -> None:
    life = Life(house, seed)
    days: dict[SessionId, dict[bytes, Seen]] = {}
    for _ in range(DAYS):
        life.edit()
        days[life.night()] = look(house.source)
    for session, day in days.items():
        assert house.restored(session) == day
    assert house.check(read_data=True).damaged == ()
