"""Enrolment codes: one device, one day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.enrolment import LIFETIME, CodeState, EnrolmentCode, refuse_if_void, state_of, used
from shared.domain.errors import NotAuthenticated
from shared.domain.ids import AccountId, CodeId, CustomerId, DeviceId, UserId
from shared.domain.tenancy import Account

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, OTHER = (DeviceId.make(NOW, bytes([n] * 10)) for n in (1, 2))
CODE = EnrolmentCode(
    id=CodeId.make(NOW, bytes(10)),
    sha256="0" * 64,
    account=AccountId.make(NOW, bytes(10)),
    customer=CustomerId.make(NOW, bytes(10)),
    made_by=UserId.make(NOW, bytes(10)),
    expires_at=NOW + LIFETIME,
)


@given(st.timedeltas(timedelta(0), timedelta(days=3)))
def test_a_code_is_good_for_a_day(after: timedelta) -> None:
    if after < timedelta(hours=24):
        assert used(CODE, ONE, "key", NOW + after) == replace(CODE, device=ONE, key_sha256="key")
    else:
        with pytest.raises(NotAuthenticated, match="expired"):
            used(CODE, ONE, "key", NOW + after)


def test_a_code_lets_one_device_in() -> None:
    with pytest.raises(NotAuthenticated, match="used before"):
        used(used(CODE, ONE, "key", NOW), OTHER, "other key", NOW)


@given(st.timedeltas(timedelta(0), timedelta(days=3)))
def test_the_device_that_used_it_may_ask_again_and_is_the_same_device(after: timedelta) -> None:
    """Its key vouches for it, so a day more or less does not matter."""
    first = used(CODE, ONE, "key", NOW)
    assert used(first, OTHER, "key", NOW + after) == first


def test_codes_of_before_a_suspected_breach_are_void() -> None:
    account = Account(CODE.account, CODE.customer, "files", NOW)
    refuse_if_void(CODE, account)
    refuse_if_void(CODE, replace(account, codes_since=NOW - timedelta(seconds=1)))
    for later in (NOW, NOW + timedelta(hours=1)):
        with pytest.raises(NotAuthenticated, match="withdrawn"):
            refuse_if_void(CODE, replace(account, codes_since=later))


def test_a_code_is_listed_as_what_it_is_good_for() -> None:
    account = Account(CODE.account, CODE.customer, "files", NOW)
    void = replace(account, codes_since=NOW)
    came_in = used(CODE, ONE, "key", NOW)
    assert state_of(CODE, account, NOW) is CodeState.OPEN
    assert state_of(CODE, account, NOW + LIFETIME) is CodeState.EXPIRED
    assert state_of(CODE, void, NOW) is CodeState.WITHDRAWN
    assert state_of(came_in, void, NOW + LIFETIME) is CodeState.USED
