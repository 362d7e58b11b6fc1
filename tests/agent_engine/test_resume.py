"""Kill -9, cut lines and lost answers: the next run goes on where the last one stopped."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.engine.stow import UploadFailed
from agent.folder_vault import VaultFull
from tests.agent_engine.faults import Cut, CutAt, FaultyVault, LineCut
from tests.agent_engine.house import House, fill, look, rest

noise = random.Random(7).randbytes

CHECKOUT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from tests.agent_engine.house import House
print(House(Path(sys.argv[1])).backup().resumed)
"""


def furnish(house: House, large: int = 3) -> None:
    small = {f"s/{n % 9}/{n}": noise(200 + n * 31 % 9_000) for n in range(600)}
    fill(house.source, small | {f"large{n}": noise(2 << 20) for n in range(large)})
    rest()


def assert_no_chunk_is_stored_twice(house: House) -> None:
    chunks = house.stored_chunks()
    assert len(chunks) == len(set(chunks))


def assert_nothing_is_stored_twice(house: House) -> None:
    """No chunk, and no small file within another chunk either."""
    assert_no_chunk_is_stored_twice(house)
    logical = sum(file.stat().st_size for file in house.source.rglob("*") if file.is_file())
    stored = sum(pack.stat().st_size for pack in house.packs())
    assert stored < logical * 1.2


def test_a_run_killed_at_any_point_goes_on_with_its_session_and_sends_no_pack_twice(house: House) -> None:
    furnish(house, large=24)
    chance = random.Random(3)
    ends = [_run_until_killed(house, chance.randrange(1, 4), chance.random() / 50) for _ in range(11)]
    assert ends.count(-signal.SIGKILL) >= 10
    assert house.backup().resumed
    assert house.restored() == look(house.source)
    assert_nothing_is_stored_twice(house)
    assert house.check(read_data=True).sound


def _run_until_killed(house: House, packs: int, seconds: float) -> int:
    """Kill -9 some time after so many more packs are there."""
    enough = len(house.packs()) + packs
    with subprocess.Popen([sys.executable, "-c", RUN, str(house.root)], cwd=CHECKOUT) as process:
        while process.poll() is None and len(house.packs()) < enough:
            time.sleep(0.001)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.returncode


@pytest.mark.parametrize("moment", range(0, 44, 3))
def test_a_line_cut_at_any_call_costs_a_rerun_and_nothing_else(house: House, moment: int) -> None:
    furnish(house, large=1)
    cut = CutAt(moment)
    try:
        house.backup(FaultyVault(house.vault(), cut))
        assert cut.passed <= moment
    except LineCut:
        house.backup()
    assert house.restored() == look(house.source)
    assert_nothing_is_stored_twice(house)
    sessions = [info.session for info in house.vault().snapshots()]
    assert {pack.parent.name for pack in house.packs()} <= set(sessions)
    assert list((house.vault_root / "open").iterdir()) in ([], [house.vault_root / "open" / _first_open(house)])


def _first_open(house: House) -> str:
    """A session whose opening was answered to nobody stays open; the service lets its lease run out."""
    return next((file.name for file in (house.vault_root / "open").iterdir()), "")


def test_the_resumed_run_commits_the_same_session(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault(), lambda call, cut: _cut_at_third_pack(vault, call, cut))
    with pytest.raises(LineCut):
        house.backup(vault)
    [session] = {pack.parent.name for pack in house.packs()}
    before = {pack.name for pack in house.packs()}
    report = house.backup()
    assert (report.resumed, report.session) == (True, session)
    assert before <= {pack.name for pack in house.packs()}


def _cut_at_third_pack(vault: FaultyVault, call: str, cut: Cut) -> None:
    if vault.calls.count("pack") > 3 and call == "pack" and cut is Cut.BEFORE:
        raise LineCut


@pytest.mark.parametrize("call", ["index", "head", "refs", "commit"])
@pytest.mark.parametrize("when", Cut)
def test_a_run_cut_while_closing_is_finished_by_the_next(house: House, call: str, when: Cut) -> None:
    """Its snapshot is committed as it was, then today's is taken."""
    furnish(house, large=1)
    then = look(house.source)

    def line(name: str, cut: Cut) -> None:
        if (name, cut) == (call, when):
            raise LineCut

    with pytest.raises(LineCut):
        house.backup(FaultyVault(house.vault(), line))
    (house.source / "large0").write_bytes(b"today")
    now = look(house.source)
    report = house.backup()
    first, second = (info.session for info in house.vault().snapshots())
    assert second == report.session
    assert house.restored(first) == then
    assert house.restored(second) == now
    assert report.unchanged > 600
    assert_no_chunk_is_stored_twice(house)


def test_files_that_changed_between_kill_and_rerun_are_stored_as_they_are_then(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault(), lambda call, cut: _cut_at_third_pack(vault, call, cut))
    with pytest.raises(LineCut):
        house.backup(vault)
    fill(house.source, {"s/0/0": b"edited", "aaa": b"new in front", "large1": noise(1 << 20)})
    assert house.backup().resumed
    assert house.restored() == look(house.source)
    assert house.check(read_data=True).sound


def test_small_files_are_known_again_though_they_would_share_other_chunks_now(house: House) -> None:
    """A file that is gone moves all that follow into other bundles; the journal remembers who lies where."""
    fill(house.source, {f"{n:04}": noise(5_000) for n in range(1_500)})
    vault = FaultyVault(house.vault(), lambda call, cut: _cut_at_third_pack(vault, call, cut))
    with pytest.raises(LineCut):
        house.backup(vault)
    for n in range(3):
        (house.source / f"{n:04}").unlink()
    assert house.backup().resumed
    assert house.restored() == look(house.source)
    stored = sum(pack.stat().st_size for pack in house.packs())
    assert stored < 1_500 * 5_000 * 1.06


def test_a_damaged_journal_costs_time_and_never_truth(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault(), lambda call, cut: _cut_at_third_pack(vault, call, cut))
    with pytest.raises(LineCut):
        house.backup(vault)
    [journal] = house.cache.glob("*/journal")
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    house.backup()
    assert house.restored() == look(house.source)


def test_a_session_that_was_given_up_meanwhile_is_replaced_by_a_new_one(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault(), lambda call, cut: _cut_at_third_pack(vault, call, cut))
    with pytest.raises(LineCut):
        house.backup(vault)
    [session] = (house.vault_root / "open").iterdir()
    house.vault().abandon(vault.inner.open_session(None).session)
    session.unlink()
    report = house.backup()
    assert not report.resumed
    assert report.session != session.name
    assert house.restored() == look(house.source)


def test_trouble_of_the_vault_is_never_taken_for_trouble_with_a_file(house: House) -> None:
    furnish(house, large=1)

    def line(call: str, cut: Cut) -> None:
        if call == "pack":
            raise ConnectionResetError(104, "Connection reset by peer")

    with pytest.raises(UploadFailed, match="Connection reset"):
        house.backup(FaultyVault(house.vault(), line))
    assert house.backup().skipped == ()


def test_a_full_vault_is_a_clear_error_and_a_rerun_goes_on(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault())

    def line(call: str, cut: Cut) -> None:
        if call == "pack" and cut is Cut.BEFORE and vault.calls.count("pack") > 2:
            raise VaultFull("the disk of the vault is full: d")

    vault.line = line
    with pytest.raises(VaultFull):
        house.backup(vault)
    assert house.backup().resumed
    assert_nothing_is_stored_twice(house)


def test_the_write_order_is_packs_index_head_refs_commit(house: House) -> None:
    furnish(house)
    vault = FaultyVault(house.vault())
    house.backup(vault)
    order = [call for n, call in enumerate(vault.calls) if n == 0 or vault.calls[n - 1] != call]
    assert order == ["open", "pack", "index", "head", "refs", "commit"]
