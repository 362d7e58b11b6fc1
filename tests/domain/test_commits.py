"""What is accepted is restorable, and only that (design 5.3): every reason, and a naive oracle."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.commits import Accepted, CommitFacts, MissingPack, Refused, judge
from shared.domain.ids import PackName, SessionId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINE, OLD, STRANGE = (SessionId.make(NOW, bytes([n]) * 10) for n in range(3))
SIZE = 4096


def pack(session: SessionId, number: int = 0) -> PackName:
    return PackName(session, f"{number:064x}")


def facts(
    needed: dict[PackName, int],
    *,
    there: dict[PackName, int] | None = None,
    condemned: frozenset[PackName] = frozenset(),
    deleting: frozenset[PackName] = frozenset(),
) -> CommitFacts:
    held = needed if there is None else there
    return CommitFacts(MINE, needed, held, frozenset({OLD}), condemned, deleting)


def test_a_snapshot_of_own_and_of_committed_packs_is_accepted() -> None:
    assert judge(facts({pack(MINE): SIZE, pack(OLD): SIZE})) == Accepted(frozenset())


def test_a_snapshot_of_nothing_is_accepted() -> None:
    assert judge(facts({})) == Accepted(frozenset())


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (facts({pack(MINE): SIZE}, there={}), "is not there"),
        (facts({pack(MINE): SIZE}, there={pack(MINE): 17}), "has 17 bytes instead of 4096"),
        (facts({pack(MINE): SIZE}, there={pack(MINE): SIZE + 1}), "has 4097 bytes instead of 4096"),
        (facts({pack(OLD): SIZE}, deleting=frozenset({pack(OLD)})), "is deleted or being deleted"),
        (facts({pack(STRANGE): SIZE}), "belongs to a session that was never committed"),
    ],
)
def test_every_fault_is_named_with_its_pack(judged: CommitFacts, reason: str) -> None:
    (needed,) = judged.needed
    assert judge(judged) == Refused((MissingPack(needed, reason),))


def test_every_missing_pack_is_named_not_only_the_first() -> None:
    needed = {pack(MINE, n): SIZE for n in range(5)}
    there = {pack(MINE, n): SIZE for n in (1, 3)}
    refused = judge(facts(needed, there=there))
    assert isinstance(refused, Refused)
    assert [missing.pack for missing in refused.missing] == [pack(MINE, n) for n in (0, 2, 4)]


def test_a_condemned_pack_that_is_needed_again_lives() -> None:
    condemned = frozenset({pack(OLD, 1), pack(OLD, 2)})
    assert judge(facts({pack(OLD, 1): SIZE}, condemned=condemned)) == Accepted(frozenset({pack(OLD, 1)}))


def test_a_pack_that_is_condemned_and_being_deleted_does_not_live_again() -> None:
    both = frozenset({pack(OLD)})
    assert isinstance(judge(facts({pack(OLD): SIZE}, condemned=both, deleting=both)), Refused)


few_packs = st.builds(pack, st.sampled_from([MINE, OLD, STRANGE]), st.integers(0, 3))
few_sizes = st.integers(0, 2)
worlds = st.builds(
    CommitFacts,
    session=st.just(MINE),
    needed=st.dictionaries(few_packs, few_sizes, max_size=4),
    there=st.dictionaries(few_packs, few_sizes),
    committed=st.frozensets(st.sampled_from([OLD, STRANGE])),
    condemned=st.frozensets(few_packs),
    deleting=st.frozensets(few_packs),
)


def restorable(world: CommitFacts) -> set[PackName]:
    """The packs that will stay and are whole, found the slow way."""
    lasting = {p for p in world.there if p.session in {*world.committed, world.session}} - world.deleting
    return {p for p in lasting if (p, world.there[p]) in world.needed.items()}


@given(worlds)
def test_a_commit_is_accepted_exactly_if_it_is_restorable(world: CommitFacts) -> None:
    whole = restorable(world)
    match judge(world):
        case Accepted(resurrected):
            assert whole == world.needed.keys()
            assert resurrected == world.condemned & whole
        case Refused(missing):
            assert {m.pack for m in missing} == world.needed.keys() - whole != set()
            assert all(m.reason for m in missing)
