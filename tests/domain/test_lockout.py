"""Wrong passwords cost more and more time, and are forgotten after a day."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.lockout import (
    FORGOTTEN_AFTER,
    FREE_FOR_USER,
    LONGEST_PAUSE,
    LockedOut,
    Tally,
    cleared,
    forgiven,
    origin,
    pause,
    tried,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
counts = st.integers(0, 10**9)
free = st.integers(1, 50)


def fresh() -> Tally:
    return Tally("x", 0, NOW)


@given(counts, free)
def test_each_failure_costs_at_least_as_much_as_the_one_before_up_to_a_limit(failures: int, free: int) -> None:
    assert pause(failures, free) <= pause(failures + 1, free) <= LONGEST_PAUSE


@given(free)
def test_the_first_failures_are_free_and_the_next_are_not(free: int) -> None:
    assert pause(free - 1, free) == timedelta()
    assert pause(free, free) == timedelta(seconds=1)
    assert pause(free + 3, free) == timedelta(seconds=8)


def test_guesses_in_a_row_are_heard_as_long_as_they_are_free() -> None:
    tally = fresh()
    for _ in range(FREE_FOR_USER):
        tally = tried(tally, FREE_FOR_USER, NOW)
    with pytest.raises(LockedOut, match="wait 1 seconds") as locked:
        tried(tally, FREE_FOR_USER, NOW)
    assert locked.value.seconds == 1


@given(st.integers(FREE_FOR_USER, 100))
def test_a_lock_ends_when_it_said_and_not_before(failures: int) -> None:
    tally = Tally("x", failures, NOW)
    with pytest.raises(LockedOut) as locked:
        tried(tally, FREE_FOR_USER, NOW)
    with pytest.raises(LockedOut):
        tried(tally, FREE_FOR_USER, NOW + timedelta(seconds=locked.value.seconds, microseconds=-1))
    later = NOW + timedelta(seconds=locked.value.seconds)
    assert tried(tally, FREE_FOR_USER, later) == Tally("x", failures + 1, later)


@given(counts)
def test_a_day_without_failures_forgets_them(failures: int) -> None:
    later = NOW + FORGOTTEN_AFTER
    assert tried(Tally("x", failures, NOW), FREE_FOR_USER, later) == Tally("x", 1, later)


@given(st.integers(1, 10**9))
def test_a_try_that_was_right_is_taken_back(failures: int) -> None:
    tally = Tally("x", failures, NOW)
    assert forgiven(tally).failures == failures - 1
    assert cleared(tally).failures == 0
    assert forgiven(fresh()).failures == 0


@pytest.mark.parametrize(
    ("told", "origin_"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50123", "192.0.2.1"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::8]:50123", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::8]", "2001:db8:1:2::/64"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_an_origin_is_what_one_person_cannot_change_at_will(told: str, origin_: str) -> None:
    assert origin(told) == origin_


@given(st.text(max_size=100))
def test_every_address_has_an_origin(address: str) -> None:
    assert isinstance(origin(address), str)
