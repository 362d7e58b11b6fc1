"""The API client: tokens, retries that create only once, pages, and refusals in the service's own words."""

import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from agent.credentials import Password
from agent.replies import NotAuthorised, NotThere, Refused
from agent.service import Service
from agent.transport import Transport, Unreachable
from shared.api.backups import RenewSession
from shared.api.tenancy import PutSlot
from shared.domain.ids import AccountId, SessionId
from tests.agent.conftest import Registered
from tests.agent.stand_in import LOGIN, PASSWORD, Fault, How, StandIn

OTHER = AccountId("0" * 26)


def test_a_user_signs_in_with_a_password(stand_in: StandIn, transport: Transport) -> None:
    service = Service(stand_in.url, Password(LOGIN, PASSWORD), transport)
    assert [account.id for account in service.accounts()] == [stand_in.account]


def test_a_wrong_password_is_tried_once_and_told_in_the_services_words(stand_in: StandIn, transport: Transport) -> None:
    with pytest.raises(NotAuthorised, match="user name or password is wrong"):
        Service(stand_in.url, Password(LOGIN, "wrong"), transport).accounts()
    assert stand_in.count("/token") == 1


def test_a_password_does_not_show(transport: Transport) -> None:
    assert PASSWORD not in repr(Password(LOGIN, PASSWORD))


def test_a_device_signs_an_assertion_that_works_once(stand_in: StandIn, device: Registered) -> None:
    device.service.open_session(stand_in.account)
    assert len(stand_in.used_jti) == 1


def test_a_lost_token_answer_is_asked_for_with_a_new_assertion(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/token", How.RESET_AFTER)]
    device.service.open_session(stand_in.account)
    assert len(stand_in.used_jti) == 2


@pytest.mark.parametrize("hours", [-30, 1, 9000])
def test_a_device_with_a_wrong_clock_goes_by_the_services(stand_in: StandIn, device: Registered, hours: float) -> None:
    stand_in.clock_ahead = timedelta(hours=hours)
    device.service.open_session(stand_in.account)
    assert stand_in.count("/token") == 2


def test_a_device_that_is_refused_for_another_reason_is_not_tried_again(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/token", How.ANSWER, 401)]
    with pytest.raises(NotAuthorised):
        device.service.open_session(stand_in.account)
    assert stand_in.count("/token") == 1


def test_one_token_serves_many_calls(stand_in: StandIn, device: Registered) -> None:
    for _ in range(3):
        device.service.open_session(stand_in.account)
    assert stand_in.count("/token") == 1


def test_a_token_that_is_refused_is_renewed_once(stand_in: StandIn, device: Registered) -> None:
    device.service.open_session(stand_in.account)
    stand_in.tokens.clear()
    device.service.open_session(stand_in.account)
    assert stand_in.count("/token") == 2


def test_a_device_that_is_no_longer_known_is_told_so(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/sessions", How.ANSWER, 401)] * 2
    with pytest.raises(NotAuthorised):
        device.service.open_session(stand_in.account)
    assert stand_in.count("/sessions") == 2


@pytest.mark.parametrize("how", [How.RESET_AFTER, How.CUT_SHORT, How.SLOW])
def test_a_lost_answer_creates_only_once(stand_in: StandIn, device: Registered, how: How) -> None:
    stand_in.faults = [Fault("POST /api/v1/accounts", how)]
    device.service.open_session(stand_in.account)
    assert stand_in.count("/sessions") == 2
    assert len(stand_in.sessions) == 1


def test_every_page_is_read(stand_in: StandIn, device: Registered) -> None:
    session = device.service.open_session(stand_in.account).id
    names = [f"{session}/{n:064x}" for n in range(5)]
    stand_in.packs.update(dict.fromkeys(names, b"pack"))
    uploaded = list(device.service.uploaded_packs(stand_in.account, session))
    assert [each.pack for each in uploaded] == names


def test_a_refusal_carries_its_type_and_its_words(stand_in: StandIn, device: Registered) -> None:
    session = device.service.open_session(stand_in.account).id
    stand_in.sessions[session]["state"] = "fenced"
    with pytest.raises(Refused, match="not open any more") as caught:
        device.service.renew_session(stand_in.account, session, RenewSession())
    assert (caught.value.status, caught.value.slug) == (409, "session-closed")


def test_an_unknown_account_is_not_there(device: Registered) -> None:
    with pytest.raises(NotThere):
        device.service.slots(OTHER)


def test_a_slot_is_created_once(stand_in: StandIn, device: Registered) -> None:
    device.service.create_slot(stand_in.account, "recovery", PutSlot(sealed="AAAA"))
    with pytest.raises(Refused) as caught:
        device.service.create_slot(stand_in.account, "recovery", PutSlot(sealed="BBBB"))
    assert caught.value.slug == "precondition-failed"
    assert stand_in.slots == {"recovery": "AAAA"}


def test_a_login_page_in_the_way_is_not_taken_for_the_service(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/slots", How.ANSWER, 200)]
    with pytest.raises(Unreachable, match="no Slots"):
        device.service.slots(stand_in.account)


def test_a_redirect_is_not_followed(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/slots", How.ANSWER, 302)]
    with pytest.raises(Unreachable, match="sends us elsewhere"):
        device.service.slots(stand_in.account)


def test_a_refusal_without_words_still_has_some(stand_in: StandIn, device: Registered) -> None:
    stand_in.faults = [Fault("/slots", How.ANSWER, 404)]
    with pytest.raises(NotThere, match="on order"):
        device.service.slots(stand_in.account)


def test_an_assertion_names_device_audience_and_a_short_life(stand_in: StandIn, device: Registered) -> None:
    request = device.key.ask("http://x/api/v1/token", datetime.now(UTC), "jti-1")
    claims = jwt.decode(str(request.client_assertion), options={"verify_signature": False})
    assert claims["iss"] == claims["sub"] == f"{stand_in.account}.{device.key.device}"
    assert claims["aud"] == "http://x/api/v1/token"
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["jti"] == "jti-1"


def test_a_session_that_is_gone_says_so_fast(stand_in: StandIn, device: Registered) -> None:
    started = time.monotonic()
    with pytest.raises(NotThere):
        device.service.session(stand_in.account, SessionId("0" * 26))
    assert time.monotonic() - started < 1
