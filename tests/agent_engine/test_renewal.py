"""Packs that hold little of what is needed are renewed, worst first, and never beyond the credit."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engine import usage
from agent.engine.locations import Locations
from agent.engine.renewal import CREDIT_SHARE, WORTHWHILE_BYTES, PackUse, credit_after, plan
from agent.engine.usage import Usage
from shared.domain.ids import SessionId
from shared.format import indexes, names, refs
from shared.format.chunks import ChunkKind
from shared.format.indexes import IndexSegment
from shared.format.names import IndexName, PackName
from shared.format.records import ChunkRecord
from shared.format.refs import PackRef
from tests.agent_engine.house import KEYS, House, fill, rest

SESSION = SessionId("01kjmma2g0mec2wq2t1ck3zc5a")
LIMIT = 1.25
MB = 1 << 20


def use(number: int, size_bytes: int, used_bytes: int) -> PackUse:
    return PackUse(PackName(SESSION, f"{number:064x}"), size_bytes, used_bytes)


USES = st.lists(st.tuples(st.integers(1, 64 * MB), st.floats(0, 1)), max_size=30).map(
    lambda packs: [use(n, size, int(size * share)) for n, (size, share) in enumerate(packs)]
)


@given(USES, st.integers(0, 1 << 30), st.floats(1, 3))
def test_renewal_never_costs_more_than_the_credit(uses: list[PackUse], credit: int, limit: float) -> None:
    assert sum(each.used_bytes for each in plan(uses, credit, limit)) <= credit


@given(USES, st.floats(1, 3))
def test_with_credit_enough_what_is_kept_meets_the_limit_but_for_what_is_not_worthwhile(
    uses: list[PackUse], limit: float
) -> None:
    renewed = {each.pack for each in plan(uses, 1 << 60, limit)}
    needed = sum(each.used_bytes for each in uses)
    kept = sum(each.used_bytes if each.pack in renewed else each.size_bytes for each in uses)
    spared = sum(each.waste_bytes for each in uses if each.waste_bytes < WORTHWHILE_BYTES)
    assert kept <= limit * needed + spared


@given(USES, st.integers(0, 1 << 30), st.floats(1, 3))
def test_no_pack_is_renewed_before_a_worse_one(uses: list[PackUse], credit: int, limit: float) -> None:
    renewed = {each.pack for each in plan(uses, credit, limit)}
    shares = [each.share for each in uses if each.pack in renewed]
    worth = [each for each in uses if each.pack not in renewed and each.waste_bytes >= WORTHWHILE_BYTES]
    assert all(each.share >= max(shares) for each in worth) if shares else True


def test_a_vault_that_is_used_well_is_let_be() -> None:
    assert plan([use(1, 10 * MB, 9 * MB), use(2, 10 * MB, 8 * MB)], 1 << 40, LIMIT) == []


def test_the_reason_says_how_little_is_needed() -> None:
    (renewed,) = plan([use(1, 10 * MB, 10 * MB), use(2, 10 * MB, MB)], 1 << 40, LIMIT)
    assert renewed.reason == f"10% of {10 * MB} bytes are needed"


@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.floats(0, 1)), max_size=50))
def test_over_a_life_renewal_stays_within_its_share(runs: list[tuple[int, float]]) -> None:
    credit = ordinary = renewed = 0
    for sent, part in runs:
        spent = int(min(credit, sent) * part)
        credit = credit_after(credit, sent, spent)
        ordinary, renewed = ordinary + sent - spent, renewed + spent
    assert renewed <= CREDIT_SHARE * ordinary + 1


@pytest.fixture
def aged(house: House) -> House:
    """Two packs' worth of small files, of which every tenth is left."""
    chance = random.Random(1)
    fill(house.source, {f"f{n:03}": chance.randbytes(8_000) for n in range(300)})
    rest()
    first = house.backup(pack_target_bytes=4 * MB)
    for path in sorted(house.source.iterdir()):
        if int(path.name[1:]) % 10:
            path.unlink()
    rest()
    assert house.backup(pack_target_bytes=4 * MB).unchanged > 0
    assert first.renewed == ()
    return house


def test_what_is_left_of_a_badly_used_pack_is_stored_anew_and_the_pack_is_needed_no_more(aged: House) -> None:
    large = (pack for pack in aged.packs() if pack.stat().st_size > MB)
    old = {PackName(SessionId(pack.parent.name), pack.name) for pack in large}
    report = aged.backup(pack_target_bytes=4 * MB)
    assert {trouble.path for trouble in report.renewed} == {f"d/{pack}" for pack in old}
    assert "are needed" in report.renewed[0].reason
    text = refs.decode_unverified(aged.vault().restore_reader(None).meta(names.refs(report.session)))
    assert not old & {pack.name for pack in text.packs}
    assert 30 * 8_000 < report.sent_bytes < 40 * 8_000


def test_every_snapshot_restores_after_the_renewed_pack_is_gone(aged: House) -> None:
    """The next runs must mean the new pack too, though the index of the old one is still alive."""
    aged.backup(pack_target_bytes=4 * MB)
    rest()
    aged.backup()
    last = aged.backup()
    assert last.renewed == ()
    assert aged.check(read_data=True).damaged == ()
    for pack in aged.packs():
        if pack.stat().st_size > MB:
            pack.unlink()
    assert len(aged.restored(last.session)) == 31


def test_without_credit_nothing_is_renewed(aged: House) -> None:
    (kept,) = aged.cache.rglob("usage-*")
    kept.write_bytes(b"")
    assert aged.backup().renewed == ()


def test_usage_is_read_back_and_damage_forgets_it(house: House) -> None:
    path, key = house.root / "usage-x", bytes(32)
    known = Usage(-5, {bytes(range(32)): 7, bytes(32): 1 << 62})
    usage.write(path, key, known)
    assert usage.read(path, key) == known
    path.write_bytes(path.read_bytes()[:-1])
    assert usage.read(path, key) == Usage()
    assert usage.read(house.root / "none", key) == replace(known, credit_bytes=0, used={})


def _segment(session: SessionId, pack_id: str) -> IndexSegment:
    """One chunk in one pack."""
    name, record = IndexName(session, 0), ChunkRecord(bytes(range(32)), ChunkKind.DATA, 0, 100, 90)
    pack = PackRef(PackName(session, pack_id * 64), 1000)
    return indexes.decode(KEYS, name, indexes.encode(KEYS, name, [(pack, [record])], bytes(12)))


def test_the_newest_place_of_a_chunk_counts_and_when_that_is_unusable_the_chunk_is_unknown() -> None:
    """A reader knows only the segments: it would look in the newest place, whatever a writer was told not to use."""
    older, newer = _segment(SESSION, "a"), _segment(SessionId("01kjmma2g0mec2wq2t1ck3zc5b"), "b")
    for order in ([older, newer], [newer, older]):
        place = Locations(order).at(bytes(range(32)))
        assert place is not None
        assert place.pack == newer.packs[0].name
        assert bytes(range(32)) not in Locations(order, {newer.packs[0].name})
        assert bytes(range(32)) in Locations(order, {older.packs[0].name})


def test_a_clock_that_was_put_back_costs_bytes_and_nothing_else(house: House) -> None:
    fill(house.source, {f"f{n}": bytes([n]) * 5_000 for n in range(20)})
    rest()
    house.backup()
    early = replace(house.vault(), now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    report = house.backup(early)
    assert report.new_bytes > 0
    assert house.check(read_data=True).damaged == ()
    assert len(house.restored(report.session)) == 21
