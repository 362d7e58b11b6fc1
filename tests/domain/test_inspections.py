"""Which packs a scrub reads, and the words in which losses are told."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import PackName, SessionId
from shared.domain.inspections import in_words, lost, sample

SESSION = SessionId.of_number(1)
MIB = 1 << 20
pack_names = st.integers(0, 99).map(lambda number: pack(number))
packs = st.dictionaries(pack_names, st.integers(1, 64 * MIB), max_size=30)
months = st.dates().map(lambda day: f"{day:%Y-%m}")


def pack(number: int) -> PackName:
    return PackName(SESSION, f"{number:064x}")


@given(packs, months, st.integers(0, 512 * MIB))
def test_a_sample_is_of_the_packs_each_once_and_within_the_budget(
    there: dict[PackName, int], month: str, budget_bytes: int
) -> None:
    chosen = sample(there, month, budget_bytes)
    assert len(chosen) == len(set(chosen))
    assert set(chosen) <= there.keys()
    assert sum(there[name] for name in chosen[1:]) <= max(0, budget_bytes - (there[chosen[0]] if chosen else 0))


@given(packs, months)
def test_a_sample_is_the_same_for_whoever_draws_it_again(there: dict[PackName, int], month: str) -> None:
    assert sample(there, month, 99 * MIB) == sample(dict(reversed(there.items())), month, 99 * MIB)


@given(packs, months)
def test_at_least_one_pack_is_read_and_all_when_there_is_room(there: dict[PackName, int], month: str) -> None:
    assert len(sample(there, month, 0)) == min(1, len(there)), "a pack larger than the budget has its turn as well"
    assert set(sample(there, month, sum(there.values()))) == there.keys()


def test_in_the_long_run_every_pack_has_its_turn() -> None:
    """Forty packs, four a month: after four years none was left out."""
    there = dict.fromkeys(map(pack, range(40)), MIB)
    start, seen = datetime(2026, 1, 1, tzinfo=UTC), set[PackName]()
    for month in range(48):
        seen |= set(sample(there, f"{start + timedelta(days=31 * month):%Y-%m}", 4 * MIB))
    assert seen == there.keys()


@given(packs, packs)
def test_a_loss_is_a_needed_pack_that_is_gone_or_has_another_size(
    needed: dict[PackName, int], there: dict[PackName, int]
) -> None:
    told = lost(needed, there)
    wrong = sorted(name for name, size in needed.items() if there.get(name) != size)
    assert len(told) == len(wrong)
    assert all(str(name) in line for name, line in zip(wrong, told, strict=True))


def test_the_words_of_a_loss() -> None:
    needed = {pack(1): 10, pack(2): 20, pack(3): 30}
    assert lost(needed, {pack(2): 19, pack(3): 30, pack(4): 1}) == [
        f"pack {pack(1)} is not there",
        f"pack {pack(2)} has 19 bytes instead of 20",
    ]


def test_many_faults_fit_into_one_note() -> None:
    assert in_words([]) == ""
    assert in_words(["a", "b"]) == "a; b"
    assert in_words(map(str, range(5))) == "0; 1; 2; 3; 4"
    assert in_words(map(str, range(7))) == "0; 1; 2; 3; 4; and 2 more"
