"""A backup session is open and then ended for ever; a lease never outlives its limit (design 5.2)."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.sessions import (
    LEASE,
    RENEWABLE_FOR,
    TRANSITIONS,
    BackupSession,
    SessionClosed,
    SessionState,
    as_of,
    ended,
    opened,
    renewed,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ENTROPY = bytes(10)
OPEN = opened(SessionId.make(NOW, ENTROPY), AccountId.make(NOW, ENTROPY), DeviceId.make(NOW, ENTROPY), 7, NOW)
ENDS = (SessionState.COMMITTED, SessionState.FENCED, SessionState.ABANDONED)
ALLOWED = {(SessionState.OPEN, end) for end in ENDS}


def standing(state: SessionState) -> BackupSession:
    return OPEN if state is SessionState.OPEN else ended(OPEN, state, NOW)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(SessionState)


@pytest.mark.parametrize(("old", "new"), list(product(SessionState, SessionState)))
def test_only_an_open_session_ends_and_nothing_opens_again(old: SessionState, new: SessionState) -> None:
    session = standing(old)
    if (old, new) in ALLOWED:
        assert ended(session, new, NOW) == standing(new)
        return
    with pytest.raises(SessionClosed) as refused:
        ended(session, new, NOW)
    assert refused.value.state is old


def test_a_new_session_remembers_the_epoch_and_has_a_lease() -> None:
    assert (OPEN.state, OPEN.epoch, OPEN.ended_at) == (SessionState.OPEN, 7, None)
    assert (OPEN.lease_until, OPEN.renewable_until) == (NOW + LEASE, NOW + RENEWABLE_FOR)


@given(st.timedeltas(timedelta(0), 2 * LEASE))
def test_a_session_counts_as_fenced_from_the_instant_its_lease_ends(after: timedelta) -> None:
    seen = as_of(OPEN, NOW + after)
    assert seen.state is (SessionState.OPEN if after < LEASE else SessionState.FENCED)
    assert seen.ended_at == (None if after < LEASE else NOW + after)


@pytest.mark.parametrize("state", ENDS)
def test_time_changes_nothing_on_an_ended_session(state: SessionState) -> None:
    assert as_of(standing(state), NOW + timedelta(days=400)) == standing(state)


@pytest.mark.parametrize("state", ENDS)
def test_an_ended_session_is_never_renewed(state: SessionState) -> None:
    with pytest.raises(SessionClosed):
        renewed(standing(state), NOW)


def test_a_lease_that_ran_out_is_never_renewed() -> None:
    with pytest.raises(SessionClosed) as refused:
        renewed(OPEN, NOW + LEASE)
    assert refused.value.state is SessionState.FENCED


@given(st.lists(st.timedeltas(timedelta(0), LEASE - timedelta(microseconds=1)), max_size=60))
def test_renewing_never_shortens_a_lease_and_never_passes_the_limit(pauses: list[timedelta]) -> None:
    session, now = OPEN, NOW
    for pause in pauses:
        now += pause
        if as_of(session, now).state is not SessionState.OPEN:
            assert now >= session.renewable_until, "whoever renews in time is only stopped by the limit"
            return
        later = renewed(session, now)
        assert session.lease_until <= later.lease_until <= min(now + LEASE, OPEN.renewable_until)
        session = later


def test_a_session_that_renews_for_ever_is_fenced_after_seven_days() -> None:
    session, now = OPEN, NOW
    while as_of(session, now).state is SessionState.OPEN:
        session = renewed(session, now)
        now += timedelta(hours=1)
    assert now == NOW + timedelta(days=7)
