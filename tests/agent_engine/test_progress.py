"""What a person who watches is told."""

import os
import random
import threading
import time

import pytest

from agent.engine.backup import backup
from agent.engine.orders import Silence
from agent.engine.stow import UPLOADERS, Job, Stow
from tests.agent_engine.faults import Cut, FaultyVault
from tests.agent_engine.house import KEYS, House, fill, look, rest

noise = random.Random(7).randbytes


class Adding(Silence):
    def __init__(self) -> None:
        self.expected: list[tuple[int, int]] = []
        self.entries = self.logical_bytes = self.sent_bytes = 0

    def expect(self, entries: int, logical_bytes: int) -> None:
        self.expected.append((entries, logical_bytes))

    def advance(self, entries: int, logical_bytes: int, path: bytes) -> None:
        self.entries += entries
        self.logical_bytes += logical_bytes

    def sent(self, sent_bytes: int) -> None:
        self.sent_bytes += sent_bytes


@pytest.fixture
def full_house(house: House) -> House:
    fill(house.source, {f"s/{n}": noise(1_000) for n in range(400)} | {"large": noise(3 << 20)})
    rest()
    return house


def watched(house: House) -> Adding:
    adding = Adding()
    backup(house.order(), house.vault(), KEYS, adding)
    return adding


def test_what_was_advanced_adds_up_to_what_is_there(full_house: House) -> None:
    sizes = sum(path.stat().st_size for path in full_house.source.rglob("*") if path.is_file())
    first, second = watched(full_house), watched(full_house)
    assert (first.entries, first.logical_bytes) == (second.entries, second.logical_bytes) == (403, sizes)
    assert first.sent_bytes > second.sent_bytes == 0


def test_later_runs_know_from_the_first_moment_what_is_to_come(full_house: House) -> None:
    first = watched(full_house)
    assert watched(full_house).expected == [(first.entries, first.logical_bytes)]


def test_a_first_run_is_told_how_much_there_is_by_a_count_beside_it(full_house: House) -> None:
    """Held up here until the count is through: a small tree is stored before that matters."""
    os.link(full_house.source / "large", full_house.source / "large-too")
    adding, counted = Adding(), threading.Event()
    expect = adding.expect

    def heard(entries: int, logical_bytes: int) -> None:
        expect(entries, logical_bytes)
        counted.set()

    adding.expect = heard

    def line(call: str, cut: Cut) -> None:
        assert counted.wait(20)

    backup(full_house.order(), FaultyVault(full_house.vault(), line), KEYS, adding)
    assert adding.expected == [(adding.entries, adding.logical_bytes)]


def test_a_run_that_is_broken_off_ends_at_once_and_goes_on_later(
    full_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C: what is being sent is sent, what waits is not."""
    submit, submitted = Stow.submit, list[Job]()

    def interrupted(self: Stow, job: Job) -> None:
        submitted.append(job)
        if len(submitted) > 2:
            raise KeyboardInterrupt
        submit(self, job)

    there = set(threading.enumerate())
    monkeypatch.setattr(Stow, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        full_house.backup()
    monkeypatch.undo()
    assert set(threading.enumerate()) <= there, "nobody goes on working"
    full_house.backup()
    assert full_house.restored() == look(full_house.source)


def test_a_slow_vault_slows_the_run_and_fills_no_memory(full_house: House) -> None:
    """Never more than a few packs are on the way, however fast the disk is read."""
    under_way, most = 0, 0
    lock = threading.Lock()

    def line(call: str, cut: Cut) -> None:
        nonlocal under_way, most
        if call == "pack":
            with lock:
                under_way += 1 if cut is Cut.BEFORE else -1
                most = max(most, under_way)
            time.sleep(0.02 if cut is Cut.BEFORE else 0)

    fill(full_house.source, {f"more{n}": noise(2 << 20) for n in range(8)})
    full_house.backup(FaultyVault(full_house.vault(), line))
    assert 1 < most <= UPLOADERS
    assert full_house.restored() == look(full_house.source)
