"""Storage that loses or cuts packs while a backup runs, or between two."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.vault import CommitOrder, OpenSession, PacksMissing
from shared.domain.errors import Conflict
from shared.domain.ids import SessionId
from shared.format.names import PackName
from tests.agent_engine.faults import Cut, FaultyVault
from tests.agent_engine.house import House, fill, look, rest

noise = random.Random(7).randbytes


@pytest.fixture
def full_house(house: House) -> House:
    fill(house.source, {f"s/{n}": noise(2_000) for n in range(100)} | {"large": noise(3 << 20)})
    rest()
    return house


def once(act: Callable[[], object], call: str, when: Cut = Cut.BEFORE) -> Callable[[str, Cut], None]:
    """Lets `act` happen at the first such call."""
    acts = [act]

    def line(name: str, cut: Cut) -> None:
        if (name, cut) == (call, when) and acts:
            acts.pop()()

    return line


def lose(house: House) -> None:
    house.packs()[0].unlink()


def cut_short(house: House) -> None:
    pack = house.packs()[0]
    pack.write_bytes(pack.read_bytes()[:-1])


@pytest.mark.parametrize("harm", [lose, cut_short])
def test_a_pack_of_this_session_that_is_lost_is_sent_anew_in_the_same_session(
    full_house: House, harm: Callable[[House], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = FaultyVault(full_house.vault())
    uploaded, harmed = vault.inner.uploaded_packs, list[bool]()

    def harmful(self: FaultyVault, session: SessionId) -> object:
        if not harmed:
            harmed.append(True)
            harm(full_house)
        return uploaded(session)

    monkeypatch.setattr(FaultyVault, "uploaded_packs", harmful)
    full_house.backup(vault)
    assert vault.calls.count("open") == 1
    assert full_house.restored() == look(full_house.source)


@pytest.mark.parametrize("harm", [lose, cut_short])
def test_a_refused_commit_is_repeated_with_what_was_missing(full_house: House, harm: Callable[[House], None]) -> None:
    vault = FaultyVault(full_house.vault(), once(lambda: harm(full_house), "commit"))
    report = full_house.backup(vault)
    assert vault.calls.count("commit") == 2
    assert [info.session for info in full_house.vault().snapshots()] == [report.session]
    assert full_house.restored() == look(full_house.source)
    assert full_house.check(read_data=True).sound


def test_a_reused_pack_that_is_gone_is_replaced_from_the_source(full_house: House) -> None:
    full_house.backup()
    (full_house.source / "new").write_bytes(b"new")
    lost = max(full_house.packs(), key=lambda pack: pack.stat().st_size)
    lost.unlink()
    report = full_house.backup()
    assert report.new_bytes > 100_000
    assert full_house.restored() == look(full_house.source)


def test_packs_that_are_condemned_are_not_reused(full_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    full_house.backup()
    condemned = frozenset(PackName(SessionId(pack.parent.name), pack.name) for pack in full_house.packs())
    vault = FaultyVault(full_house.vault())
    opened = vault.inner.open_session(None)
    opened = replace(opened, do_not_reuse=condemned)

    def condemning(self: FaultyVault, resume: SessionId | None) -> OpenSession:
        return opened

    monkeypatch.setattr(FaultyVault, "open_session", condemning)
    full_house.backup(vault)
    for pack in condemned:
        (full_house.vault_root / "d" / str(pack)).unlink()
    assert full_house.restored() == look(full_house.source)


def test_a_vault_that_loses_packs_for_ever_is_given_up_in_words(
    full_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = FaultyVault(full_house.vault())
    gone = PacksMissing((PackName(SessionId("01kdvdna000000000000000001"), "0" * 64),))

    def refuse(self: FaultyVault, order: CommitOrder) -> PacksMissing:
        return gone

    monkeypatch.setattr(FaultyVault, "commit", refuse)
    with pytest.raises(Conflict, match="nothing was committed"):
        full_house.backup(vault)
    assert full_house.vault().snapshots() == []
    monkeypatch.undo()
    full_house.backup()
    assert full_house.restored() == look(full_house.source)


def test_a_call_that_arrives_twice_does_no_harm(full_house: House) -> None:
    """The line repeats what it already delivered, as retries after lost answers do."""
    full_house.backup(FaultyVault(full_house.vault(), twice=True))
    assert full_house.restored() == look(full_house.source)
    assert len(full_house.vault().snapshots()) == 1


def test_one_run_at_a_time(full_house: House) -> None:
    vault = FaultyVault(full_house.vault())
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(Conflict, match="is running") as caught:
            full_house.backup()
        refused.append(str(caught.value))

    vault.line = once(second, "commit")
    full_house.backup(vault)
    assert refused == ["another backup of this account is running on this device"]
