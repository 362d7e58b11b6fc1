"""A refresh token is good once, and for so long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.families import GRACE, IDLE, LONGEST, Family, FamilyState, GoesOn, OnceMore, Over, Reused, judge
from shared.domain.ids import FamilyId, UserId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FAMILY = Family(FamilyId("0" * 26), UserId("1" * 26), None, 0, "good", NOW, NOW)
moments = st.timedeltas(timedelta(), timedelta(days=400)).map(lambda since: NOW + since)


@given(moments)
def test_the_token_that_is_good_goes_on_until_it_is_too_old(at: datetime) -> None:
    verdict = judge(FAMILY, "good", at)
    assert isinstance(verdict, GoesOn) == (at - NOW < IDLE)


@given(moments, st.text(max_size=64).filter(lambda secret: secret.isascii() and secret != "good"))
def test_any_other_token_is_a_copy_however_old(at: datetime, secret: str) -> None:
    assert isinstance(judge(FAMILY, secret, at), Reused)


@given(moments, st.sampled_from(["good", "other"]))
def test_a_family_that_ended_stays_so(at: datetime, secret: str) -> None:
    assert isinstance(judge(replace(FAMILY, state=FamilyState.ENDED), secret, at), Over)


@given(st.timedeltas(timedelta(), IDLE - timedelta(microseconds=1)))
def test_no_renewing_outlives_ninety_days(since: timedelta) -> None:
    kept_warm = replace(FAMILY, renewed_at=NOW + LONGEST - since)
    assert isinstance(judge(kept_warm, "good", NOW + LONGEST), Over)
    assert isinstance(
        judge(replace(kept_warm, renewed_at=NOW + LONGEST - IDLE / 2), "good", NOW + LONGEST * 0.99), GoesOn
    )


@given(st.timedeltas(timedelta(), timedelta(days=1)))
def test_the_token_before_is_answered_once_more_for_half_a_minute(since: timedelta) -> None:
    renewed = replace(FAMILY, previous_sha256="before")
    verdict = judge(renewed, "before", NOW + since)
    assert isinstance(verdict, OnceMore if since < GRACE else Reused)


@given(moments)
def test_of_a_family_that_ended_the_token_before_opens_nothing_either(at: datetime) -> None:
    ended = replace(FAMILY, previous_sha256="before", state=FamilyState.ENDED)
    assert isinstance(judge(ended, "before", at), Over)
