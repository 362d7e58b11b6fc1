"""A suspected breach: what locks, and what opens again (N16)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.breach import AccountLocked, locked, refuse_if_locked, unlocked
from shared.domain.errors import Conflict
from shared.domain.grants import LIFE, Purpose, end_of, policy_of
from shared.domain.ids import AccountId, CustomerId, IncidentId
from shared.domain.tenancy import Account

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = Account(AccountId.make(NOW, bytes(10)), CustomerId.make(NOW, bytes(10)), "files", NOW)
ONE, OTHER = (IncidentId.make(NOW, bytes([n] * 10)) for n in (1, 2))


def test_the_first_lock_stays_and_says_why() -> None:
    first = locked(ACCOUNT, ONE, NOW)
    assert (first.locked_at, first.incident) == (NOW, ONE)
    assert locked(first, OTHER, NOW + timedelta(hours=1)) == first


def test_a_locked_account_grants_nothing() -> None:
    refuse_if_locked(ACCOUNT)
    with pytest.raises(AccountLocked, match="suspected breach"):
        refuse_if_locked(locked(ACCOUNT, ONE, NOW))


@given(st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9)).map(NOW.__add__))
def test_only_a_password_younger_than_the_suspicion_opens(changed_at: datetime | None) -> None:
    shut = locked(ACCOUNT, ONE, NOW)
    if changed_at is not None and changed_at > NOW:
        assert unlocked(shut, changed_at).locked_at is None
    else:
        with pytest.raises(Conflict, match="change your password"):
            unlocked(shut, changed_at)


def test_grants_of_before_never_come_back() -> None:
    again = unlocked(locked(ACCOUNT, ONE, NOW), NOW + timedelta(hours=1))
    for purpose in Purpose:
        assert policy_of(purpose, again.grants) != policy_of(purpose, ACCOUNT.grants)


@given(st.timedeltas(timedelta(0), timedelta(days=7)))
def test_a_grant_ends_soon_and_never_after_what_it_is_for(lease: timedelta) -> None:
    assert end_of(NOW, NOW + lease) == NOW + min(lease, LIFE)
