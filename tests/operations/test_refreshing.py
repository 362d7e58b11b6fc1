"""Refresh tokens: each good once, and a copy of one ends the session that it came from."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared.domain.errors import NotAuthenticated
from shared.domain.tenancy import UserCaller
from shared.identity import keyring
from shared.operations import tokens, users
from shared.services import Services
from shared.storage.users import FAMILY_ROW
from tests.conftest import Clock
from tests.operations.persons import Person, person


@pytest.fixture
def anna(services: Services) -> Person:
    return person(services)


def logged_in(someone: Person) -> str:
    token = someone.log_in().refresh_token
    assert token
    return token


def renew(someone: Person, token: str) -> str:
    """The next token; the access token that came with it is good."""
    granted = tokens.for_refresh(someone.services, token)
    assert isinstance(tokens.caller_of(someone.services, granted.access_token), UserCaller)
    assert granted.refresh_token
    return granted.refresh_token


def refuse(someone: Person, token: str) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        tokens.for_refresh(someone.services, token)
    return str(refused.value)


def test_a_session_goes_on_with_the_newest_token(anna: Person) -> None:
    token = logged_in(anna)
    seen = {token}
    for _ in range(3):
        token = renew(anna, token)
        seen.add(token)
    assert len(seen) == 4


def test_a_token_that_comes_a_second_time_ends_its_session_and_no_other(anna: Person) -> None:
    stolen, other = logged_in(anna), logged_in(anna)
    newest = renew(anna, stolen)
    assert "used before" in refuse(anna, stolen)
    assert "has ended" in refuse(anna, newest)
    assert "has ended" in refuse(anna, stolen)
    renew(anna, other)


def test_of_two_who_use_a_token_at_once_at_most_one_gets_on_and_not_for_long(anna: Person) -> None:
    token = logged_in(anna)

    def use(_: int) -> str | None:
        try:
            return tokens.for_refresh(anna.services, token).refresh_token
        except NotAuthenticated:
            return None

    with ThreadPoolExecutor(4) as pool:
        won = [one for one in pool.map(use, range(4)) if one]
    assert len(won) == 1
    assert "has ended" in refuse(anna, won[0])


def test_a_session_that_rests_for_thirty_days_is_over(anna: Person, clock: Clock) -> None:
    token = logged_in(anna)
    clock.move(timedelta(days=29))
    token = renew(anna, token)
    clock.move(timedelta(days=30))
    assert "too old" in refuse(anna, token)


def test_no_session_lasts_longer_than_ninety_days(anna: Person, clock: Clock) -> None:
    token = logged_in(anna)
    for _ in range(4):
        clock.move(timedelta(days=22))
        token = renew(anna, token)
    clock.move(timedelta(days=2))
    assert "too old" in refuse(anna, token)


def test_a_disabled_user_s_session_is_over(anna: Person) -> None:
    token = logged_in(anna)
    users.disable(anna.services, None, anna.id)
    users.enable(anna.services, None, anna.id)
    assert "has ended" in refuse(anna, token)


@pytest.mark.parametrize("token", ["", ".", "x", "0" * 26, f"{'0' * 26}.secret", "\u0000.\u0000", "\ud800" * 300])
def test_what_is_none_of_ours_opens_nothing(anna: Person, token: str) -> None:
    assert "not one of ours" in refuse(anna, token)


def test_the_token_itself_is_kept_nowhere(anna: Person) -> None:
    family, secret = logged_in(anna).split(".")
    stored = anna.services.families.get(family, FAMILY_ROW)
    assert stored
    assert secret not in repr(stored.value)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", secret), "32 bytes"


def holding(services: Services, keys: str) -> Services:
    return Services(services.settings.model_copy(update={"signing_keys": SecretStr(keys)}))


def test_new_signing_keys_log_nobody_out(anna: Person, clock: Clock) -> None:
    """Announced, promoted, and the old one retired when its last token has run out."""
    old = anna.services.settings.signing_keys.get_secret_value()
    granted = anna.log_in()
    assert granted.refresh_token
    announced = keyring.announced(old, "next")
    promoted = keyring.promoted(announced)
    for keys in (announced, promoted):
        tokens.caller_of(holding(anna.services, keys), granted.access_token)
    by_the_new = tokens.for_refresh(holding(anna.services, promoted), granted.refresh_token)
    # An instance that has not been restarted yet knows the key, because it was announced.
    tokens.caller_of(holding(anna.services, announced), by_the_new.access_token)
    retired = holding(anna.services, keyring.retired(promoted))
    tokens.caller_of(retired, by_the_new.access_token)
    with pytest.raises(NotAuthenticated, match="no longer in use"):
        tokens.caller_of(retired, granted.access_token)
    clock.move(timedelta(minutes=16))
    assert by_the_new.refresh_token
    tokens.caller_of(retired, tokens.for_refresh(retired, by_the_new.refresh_token).access_token)
