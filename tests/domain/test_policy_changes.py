"""A shorter policy waits and can be called off; a longer one acts at once; no timer is needed for either."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Conflict
from shared.domain.ids import AccountId, UserId
from shared.domain.policy_changes import SHORTENING_WAITS, Retention, called_off, changed, policy_in_force, settled
from shared.domain.retention import Policies, Policy, is_shortening
from tests.domain import points
from tests.domain.points import NOW

ANNA, BERND = (UserId.of_number(n) for n in (1, 2))
NEVER_CHOSEN = Retention(AccountId.of_number(1))
LONG, SHORT = Policies(Policy(last=9)), Policies(Policy(last=2))
SECOND = timedelta(seconds=1)
later = st.timedeltas(timedelta(), timedelta(days=9)).map(lambda wait: NOW + wait)


def chosen(policies: Policies) -> Retention:
    return Retention(NEVER_CHOSEN.account, policies, NOW - timedelta(days=9), ANNA)


def test_who_never_chose_has_fourteen_days() -> None:
    assert policy_in_force(None, NOW) == policy_in_force(NEVER_CHOSEN, NOW) == Policies()
    assert Policies().account.keep_within == timedelta(days=14)


def test_a_longer_policy_acts_at_once() -> None:
    assert changed(chosen(SHORT), LONG, BERND, NOW) == Retention(NEVER_CHOSEN.account, LONG, NOW, BERND)


def test_a_shorter_policy_acts_after_a_day_to_the_second() -> None:
    row = changed(chosen(LONG), SHORT, BERND, NOW)
    due = NOW + SHORTENING_WAITS
    assert policy_in_force(row, due - SECOND) == LONG
    assert policy_in_force(row, due) == SHORT
    assert settled(row, due) == Retention(NEVER_CHOSEN.account, SHORT, due, BERND)


@given(points.whole_policies, points.whole_policies, later)
def test_nothing_is_kept_less_long_before_the_wait_is_over(old: Policies, new: Policies, at: datetime) -> None:
    row = changed(chosen(old), new, BERND, NOW)
    in_force = policy_in_force(row, at)
    assert in_force in (old, new)
    if at < NOW + SHORTENING_WAITS:
        assert not is_shortening(old, in_force)
    else:
        assert in_force == new


@given(points.whole_policies, points.whole_policies, later)
def test_asking_twice_does_not_wait_twice(old: Policies, new: Policies, at: datetime) -> None:
    row = changed(chosen(old), new, BERND, NOW)
    assert changed(row, new, ANNA, at) == settled(row, at)


def test_what_was_called_off_never_acts() -> None:
    row = called_off(changed(chosen(LONG), SHORT, BERND, NOW), NOW + SECOND)
    assert row == chosen(LONG)
    with pytest.raises(Conflict, match="pending"):
        called_off(row, NOW)


def test_what_acts_already_cannot_be_called_off() -> None:
    with pytest.raises(Conflict, match="pending"):
        called_off(changed(chosen(LONG), SHORT, BERND, NOW), NOW + SHORTENING_WAITS)


def test_the_last_word_takes_the_place_of_what_waits() -> None:
    waiting = changed(chosen(LONG), SHORT, BERND, NOW)
    assert changed(waiting, LONG, ANNA, NOW + SECOND).pending is None
    middle = Policies(replace(LONG.account, last=5))
    again = changed(waiting, middle, ANNA, NOW + SECOND).pending
    assert again is not None
    assert (again.policies, again.in_force_at) == (middle, NOW + SECOND + SHORTENING_WAITS)
