"""The audit chain: nothing in it can be changed, left out, added or moved unnoticed (G6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audit import GENESIS, Act, Anchor, Broken, Deed, Record, Sound, anchor, link, verify

ACTS = st.builds(
    Act,
    at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    actor=st.text(max_size=20),
    deed=st.sampled_from(Deed),
    subject=st.text(max_size=20),
    address=st.text(max_size=10),
    outcome=st.sampled_from(["done", "forbidden"]),
    instruction=st.none() | st.text(max_size=10),
)


def chain(acts: list[Act]) -> list[Record]:
    records: list[Record] = []
    for act in acts:
        previous = records[-1].hash if records else GENESIS
        records.append(link(len(records) + 1, previous, act))
    return records


def head(records: list[Record]) -> str:
    return records[-1].hash if records else GENESIS


@given(st.lists(ACTS, max_size=8))
def test_an_untouched_chain_is_sound(acts: list[Act]) -> None:
    records = chain(acts)
    assert verify(records, head(records)) == Sound(len(acts), head(records))


@given(st.lists(ACTS, min_size=1, max_size=8), st.data())
def test_a_changed_record_is_found_and_named(acts: list[Act], data: st.DataObject) -> None:
    records = chain(acts)
    n = data.draw(st.integers(0, len(records) - 1))
    other = data.draw(ACTS.filter(lambda act: act != records[n].act))
    forged = [*records[:n], replace(records[n], act=other), *records[n + 1 :]]
    assert verify(forged, head(records)) == Broken(n + 1, "was changed")


@given(st.lists(ACTS, min_size=1, max_size=8), st.data())
def test_a_record_forged_with_its_own_hash_breaks_the_chain_behind_it(acts: list[Act], data: st.DataObject) -> None:
    records = chain(acts)
    n = data.draw(st.integers(0, len(records) - 1))
    other = data.draw(ACTS.filter(lambda act: act != records[n].act))
    forged = [*records[:n], link(n + 1, records[n].previous, other), *records[n + 1 :]]
    verdict = verify(forged, head(records))
    assert isinstance(verdict, Broken)
    assert verdict.number == n + 2


@given(st.lists(ACTS, min_size=1, max_size=8), st.data())
def test_a_missing_record_is_found_and_named(acts: list[Act], data: st.DataObject) -> None:
    records = chain(acts)
    n = data.draw(st.integers(0, len(records) - 1))
    verdict = verify([*records[:n], *records[n + 1 :]], head(records))
    assert isinstance(verdict, Broken)
    assert verdict.number == n + 1
    assert "missing" in verdict.reason


@given(st.lists(ACTS, min_size=2, max_size=8), st.data())
def test_records_that_changed_places_are_found(acts: list[Act], data: st.DataObject) -> None:
    records = chain(acts)
    n = data.draw(st.integers(0, len(records) - 2))
    swapped = [*records[:n], records[n + 1], records[n], *records[n + 2 :]]
    verdict = verify(swapped, head(records))
    assert isinstance(verdict, Broken)
    assert verdict.number == n + 1


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_chain_that_was_cut_short_is_found_by_its_head(kept: int) -> None:
    act = Act(datetime(2026, 1, 1, tzinfo=UTC), "user 1", Deed.CREATE_USER, "/customers", "local", "done")
    records = chain([replace(act, at=act.at + timedelta(days=n)) for n in range(3)])
    assert isinstance(verify(records[:kept], head(records)), Broken)


LATE = datetime(2031, 1, 1, tzinfo=UTC)


@given(st.lists(ACTS, max_size=5), st.lists(ACTS, max_size=5))
def test_a_chain_that_goes_on_from_an_anchor_is_sound(before: list[Act], after: list[Act]) -> None:
    old, whole = chain(before), chain([*before, *after])
    kept = anchor(old, LATE)
    assert kept == Anchor(len(before), head(old), LATE)
    assert verify(whole, head(whole), kept) == Sound(len(whole), head(whole))


@given(st.lists(ACTS, min_size=1, max_size=5), st.lists(ACTS, max_size=5), st.data())
def test_a_chain_that_was_rewritten_hashes_and_all_is_found_by_an_older_anchor(
    before: list[Act], after: list[Act], data: st.DataObject
) -> None:
    """For whoever owns the tables this is easy, and without the anchor nobody would notice."""
    kept = anchor(chain(before), LATE)
    n = data.draw(st.integers(0, len(before) - 1))
    other = data.draw(ACTS.filter(lambda act: act != before[n]))
    rewritten = chain([*before[:n], other, *before[n + 1 :], *after])
    assert isinstance(verify(rewritten, head(rewritten)), Sound)
    verdict = verify(rewritten, head(rewritten), kept)
    assert isinstance(verdict, Broken)
    assert verdict.number == kept.records
    assert "anchor" in verdict.reason


@given(st.lists(ACTS, min_size=1, max_size=5), st.data())
def test_a_chain_that_was_cut_behind_its_head_is_found_by_an_anchor(acts: list[Act], data: st.DataObject) -> None:
    kept = anchor(chain(acts), LATE)
    cut = chain(acts[: data.draw(st.integers(0, len(acts) - 1))])
    verdict = verify(cut, head(cut), kept)
    assert verdict == Broken(len(cut) + 1, f"is missing: the anchor knows {len(acts)} records")


def test_an_anchor_is_of_the_records_up_to_its_time() -> None:
    act = Act(datetime(2026, 1, 1, tzinfo=UTC), "user 1", Deed.CREATE_USER, "/customers", "local", "done")
    records = chain([replace(act, at=act.at + timedelta(days=n)) for n in range(4)])
    assert anchor(records, act.at - timedelta(days=1)) == Anchor(0, GENESIS, act.at - timedelta(days=1))
    assert anchor(records, act.at + timedelta(days=2)).head == records[2].hash
    assert anchor(records, LATE).records == 4
