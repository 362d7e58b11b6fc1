"""Idempotency-Key: a request that is sent again makes nothing twice."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.certificates import csr
from tests.service.client import Answer, Client
from tests.service.people import Customer, Device, register
from tests.service.together import at_once
from tests.service.vault import back_up, begin

type Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Creation:
    """A POST that creates. `shown` counts what is there; `None` where the API has no list of it."""

    client: Client
    path: str
    body: Body
    other: Body
    shown: Callable[[], int] | None
    fresh: frozenset[str] = frozenset()
    """Fields that a repetition answers anew: grants, first passwords and enrolment codes."""

    def post(self, key: str | None, body: Body | None = None) -> Answer:
        return self.client.post(self.path, self.body if body is None else body, key=key)

    def lasting(self, answer: Answer) -> Body:
        return {name: value for name, value in answer.made().items() if name not in self.fresh}


def key() -> str:
    return secrets.token_hex(16)


def device_body() -> Body:
    return {"name": "Laptop", "platform": "linux", "csr": csr()}


def count(client: Client, path: str) -> Callable[[], int]:
    return lambda: len(client.get(path, limit=1000).made(200)["items"])


@pytest.fixture
def creation_of_customer(operator: Client) -> Creation:
    return Creation(operator, "/customers", {"name": "A"}, {"name": "B"}, count(operator, "/customers"))


@pytest.fixture
def creation_of_account(customer: Customer, operator: Client, admin_client: Client) -> Creation:
    path = f"/customers/{customer.id}/accounts"
    return Creation(operator, path, {"name": "A"}, {"name": "B"}, count(admin_client, "/accounts"))


@pytest.fixture
def creation_of_user(customer: Customer, operator: Client) -> Creation:
    user = {"name": "Uwe Unger", "login": f"u.{secrets.token_hex(6)}@muster.example"}
    path = f"/customers/{customer.id}/users"
    return Creation(operator, path, user, {**user, "name": "Vera Vogt"}, None, frozenset({"password"}))


@pytest.fixture
def creation_of_device(admin_client: Client, account: str) -> Creation:
    path = f"/accounts/{account}/devices"
    return Creation(admin_client, path, device_body(), device_body(), count(admin_client, path))


@pytest.fixture
def creation_of_code(admin_client: Client, account: str) -> Creation:
    path = f"/accounts/{account}/enrolment-codes"
    return Creation(admin_client, path, {}, {"x": 1}, count(admin_client, path), frozenset({"code"}))


@pytest.fixture
def creation_of_session(device: Device) -> Creation:
    return Creation(device.log_in(), device.sessions, {}, {"x": 1}, None, frozenset({"grant"}))


@pytest.fixture
def creation_of_restore(device: Device, admin_client: Client) -> Creation:
    path, done = f"/accounts/{device.account}/restores", back_up(device)
    return Creation(admin_client, path, {"snapshot": done.id}, {"snapshot": None}, None, frozenset({"grant"}))


@pytest.fixture(params=["customer", "account", "user", "device", "code", "session", "restore"])
def creation(request: pytest.FixtureRequest) -> Creation:
    return request.getfixturevalue(f"creation_of_{request.param}")


def test_the_same_key_gets_the_same_answer(creation: Creation) -> None:
    again = key()
    first = creation.lasting(creation.post(again))
    before = creation.shown and creation.shown()
    assert creation.lasting(creation.post(again)) == first
    assert (creation.shown and creation.shown()) == before


def test_without_a_key_each_request_makes_a_thing(creation: Creation) -> None:
    if "/users" in creation.path:
        pytest.skip("a login name is taken by the first request: the second is a conflict")
    assert creation.post(None)["id"] != creation.post(None)["id"]


def test_a_key_with_another_body_is_refused(creation: Creation) -> None:
    again = key()
    creation.post(again).made()
    before = creation.shown and creation.shown()
    answer = creation.post(again, creation.other)
    assert answer.status == (400 if creation.path.endswith(("/sessions", "/enrolment-codes")) else 422), answer.data
    assert (creation.shown and creation.shown()) == before


def test_two_requests_at_once_make_one_thing(creation: Creation) -> None:
    before = creation.shown() if creation.shown else 0
    again = key()
    answers = at_once([lambda: creation.post(again)] * 4)
    made = [answer for answer in answers if answer.status == 201]
    assert all(answer.status == 503 for answer in answers if answer not in made), "busy is all that a loser may hear"
    assert made
    assert len({answer["id"] for answer in made}) == 1
    assert not creation.shown or creation.shown() == before + 1


@pytest.mark.parametrize("bad", ["", "short", "1234567", "x" * 129, "x" * 5000])
def test_a_key_that_is_too_short_or_too_long_is_refused(creation: Creation, bad: str) -> None:
    before = creation.shown and creation.shown()
    creation.post(bad).refused(400, "invalid-request", "Idempotency-Key")
    assert (creation.shown and creation.shown()) == before


@pytest.mark.parametrize("begin_with", ["", "'; drop table", "\u00e4\u00f6\u00fc", "x" * 120])
def test_any_key_of_8_to_128_characters_will_do(creation: Creation, begin_with: str) -> None:
    good = begin_with + secrets.token_hex(4)
    first = creation.lasting(creation.post(good))
    assert creation.lasting(creation.post(good)) == first


def test_callers_do_not_share_keys(customer: Customer, operator: Client) -> None:
    account = customer.account()
    path, body, same = f"/accounts/{account}/devices", device_body(), key()
    one, other = customer.user().log_in(), customer.user("member").log_in()
    assert one.post(path, body, key=same)["id"] != other.post(path, body, key=same)["id"]


def test_one_key_on_two_routes_is_refused(customer: Customer, operator: Client) -> None:
    same = key()
    operator.post("/customers", {"name": "A"}, key=same).made()
    answer = operator.post(f"/customers/{customer.id}/accounts", {"name": "A"}, key=same)
    answer.refused(422, "key-reused")


def test_a_user_made_twice_has_one_password_and_it_works(customer: Customer) -> None:
    """Only the hash of the first password is kept, so a repetition brings a new one (N11)."""
    again, body = key(), {"name": "Uwe Unger", "login": f"u.{secrets.token_hex(6)}@muster.example"}
    path, nobody = f"/customers/{customer.id}/users", customer.service.nobody
    old, new = (customer.operator.post(path, body, key=again).made()["password"] for _ in range(2))
    nobody.secrets.add(old, new)
    customer.service.log_in(body["login"], new)
    nobody.ask_token(grant_type="password", username=body["login"], password=old).refused(401, "not-authenticated")


def test_a_login_name_belongs_to_one_user(customer: Customer) -> None:
    path = f"/customers/{customer.id}/users"
    body = {"name": "Uwe Unger", "login": f"u.{secrets.token_hex(6)}@muster.example"}
    answers = at_once([lambda: customer.operator.post(path, body)] * 4)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    customer.operator.post(path, {**body, "login": body["login"].upper()}).refused(409, "conflict")


def test_a_device_registered_again_is_the_same_even_later(customer: Customer) -> None:
    admin, account, again, body = customer.user().log_in(), customer.account(), key(), device_body()
    first = admin.post(f"/accounts/{account}/devices", body, key=again).made()
    register(customer.service, admin, account)
    assert admin.post(f"/accounts/{account}/devices", body, key=again).made() == first


def test_a_session_opened_again_is_the_same_one(device: Device) -> None:
    client, again = device.log_in(), key()
    first = client.post(device.sessions, {}, key=again).made()
    begin(device, client)
    second = client.post(device.sessions, {}, key=again).made()
    assert (second["id"], second["opened_at"]) == (first["id"], first["opened_at"])
