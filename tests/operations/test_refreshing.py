"""Refresh tokens: each good once, and a copy of one ends the session that it came from."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared.domain.audit import Deed
from shared.domain.errors import NotAuthenticated, NotFound
from shared.domain.families import GRACE
from shared.domain.ids import UserId
from shared.domain.tenancy import UserCaller
from shared.identity import keyring
from shared.operations import refreshing, tokens, users
from shared.services import Services
from shared.storage.users import FAMILY_ROW
from tests.conftest import Clock
from tests.operations.persons import Person, firm, person


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


def test_a_token_that_comes_a_second_time_ends_its_session_and_no_other(anna: Person, clock: Clock) -> None:
    stolen, other = logged_in(anna), logged_in(anna)
    newest = renew(anna, stolen)
    clock.move(GRACE)
    assert "used before" in refuse(anna, stolen)
    assert "has ended" in refuse(anna, newest)
    assert "has ended" in refuse(anna, stolen)
    renew(anna, other)


def test_whose_answer_was_lost_asks_again_and_the_session_goes_on(anna: Person, clock: Clock) -> None:
    token = logged_in(anna)
    renew(anna, token)
    clock.move(GRACE / 2)
    renew(anna, token)
    clock.move(GRACE / 3)
    token = renew(anna, token)
    clock.move(timedelta(days=1))
    renew(anna, token)


def test_asking_again_prolongs_no_grace(anna: Person, clock: Clock) -> None:
    token = logged_in(anna)
    for _ in range(3):
        renew(anna, token)
        clock.move(GRACE / 3)
    assert "used before" in refuse(anna, token)


def test_a_thief_who_asks_again_in_the_grace_is_found_out_by_the_next_token_of_the_owner(anna: Person) -> None:
    """Whichever of two comes second takes the other's token away; that one's next request ends it for both."""
    stolen = logged_in(anna)
    owners = renew(anna, stolen)
    thiefs = renew(anna, stolen)
    assert "used before" in refuse(anna, owners)
    assert "has ended" in refuse(anna, thiefs)


def test_once_the_next_token_was_used_the_one_before_has_no_grace(anna: Person) -> None:
    stolen = logged_in(anna)
    newest = renew(anna, renew(anna, stolen))
    assert "used before" in refuse(anna, stolen)
    assert "has ended" in refuse(anna, newest)


def test_a_session_that_ended_by_a_copy_is_in_the_log_once(services: Services, clock: Clock) -> None:
    anna = person(services, firm(services).id)
    token = logged_in(anna)
    renew(anna, token)
    clock.move(GRACE)
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            tokens.for_refresh(services, token, "192.0.2.9")
    assert anna.customer
    acts = [record.act for record in services.audit.records(anna.customer)]
    assert [(act.deed, act.actor, act.address) for act in acts] == [(Deed.REUSE_TOKEN, "unknown", "192.0.2.9")]
    assert acts[0].subject.endswith(anna.id)


def test_of_those_who_use_a_token_at_once_one_gets_on_and_only_if_the_others_stay_away(anna: Person) -> None:
    token = logged_in(anna)

    def use(_: int) -> str:
        granted = tokens.for_refresh(anna.services, token).refresh_token
        assert granted
        return granted

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(use, range(4)))
    assert len(set(got)) == 4
    fates = [went_on(anna, one) for one in got]
    assert sum(fates) <= 1
    assert not went_on(anna, token)


def went_on(someone: Person, token: str) -> bool:
    try:
        renew(someone, token)
    except NotAuthenticated:
        return False
    return True


def test_who_logs_out_ends_one_session_with_any_of_its_tokens_and_no_other(anna: Person) -> None:
    used, other = logged_in(anna), logged_in(anna)
    newest = renew(anna, used)
    for _ in range(2):
        refreshing.end(anna.services, used, anna.id)
    assert "has ended" in refuse(anna, newest)
    renew(anna, other)


def test_nobody_logs_somebody_else_out(anna: Person, services: Services) -> None:
    token = logged_in(anna)
    for bad in (token, f"{'0' * 26}.x", "nonsense", ""):
        with pytest.raises(NotFound):
            refreshing.end(services, bad, UserId("0" * 26))
    renew(anna, token)


def test_who_logs_out_everywhere_has_no_token_left_but_the_password(anna: Person) -> None:
    before = [anna.log_in() for _ in range(2)]
    users.log_out_everywhere(anna.services, anna.customer, anna.id)
    for granted in before:
        with pytest.raises(NotAuthenticated, match="session has ended"):
            tokens.caller_of(anna.services, granted.access_token)
        assert granted.refresh_token
        assert "has ended" in refuse(anna, granted.refresh_token)
    anna.log_in()


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
