"""Key slots: never overwritten blindly, whoever races whom."""

import base64
import secrets
from functools import partial

import pytest

from tests.service.client import Answer, Client, Headers
from tests.service.people import Device
from tests.service.together import at_once

NEW = {"If-None-Match": "*"}


def sealed() -> str:
    return base64.b64encode(secrets.token_bytes(96)).decode()


def put(client: Client, account: str, text: str, headers: Headers, slot: str = "recovery") -> Answer:
    client.secrets.add(text)
    return client.put(f"/accounts/{account}/slots/{slot}", {"sealed": text}, headers)


def there(client: Client, account: str) -> dict[str, str]:
    return {slot["name"]: slot["sealed"] for slot in client.get(f"/accounts/{account}/slots").made(200)["slots"]}


def test_a_new_account_has_no_slots(admin_client: Client, account: str) -> None:
    assert there(admin_client, account) == {}


def test_a_slot_is_made_and_read_back(admin_client: Client, account: str) -> None:
    text = sealed()
    answer = put(admin_client, account, text, NEW)
    made = answer.made(200)
    assert answer.headers["ETag"] == made["etag"]
    assert admin_client.get(f"/accounts/{account}/slots").made(200)["slots"] == [made]
    assert made["sealed"] == text


def test_a_second_slot_of_one_name_is_refused(admin_client: Client, account: str) -> None:
    first = sealed()
    put(admin_client, account, first, NEW).made(200)
    put(admin_client, account, sealed(), NEW).refused(412, "precondition-failed")
    assert there(admin_client, account) == {"recovery": first}


def test_a_slot_takes_the_place_of_the_one_it_names(admin_client: Client, account: str) -> None:
    old = put(admin_client, account, sealed(), NEW).made(200)["etag"]
    text = sealed()
    new = put(admin_client, account, text, {"If-Match": old}).made(200)["etag"]
    assert new != old
    assert there(admin_client, account) == {"recovery": text}
    put(admin_client, account, sealed(), {"If-Match": old}).refused(412, "precondition-failed")
    assert there(admin_client, account) == {"recovery": text}


@pytest.mark.parametrize(
    "etag", ["garbage", '"x"', "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"", "", "*", "a, b"]
)
def test_an_etag_of_something_else_overwrites_nothing(admin_client: Client, account: str, etag: str) -> None:
    text = sealed()
    put(admin_client, account, text, NEW).made(200)
    put(admin_client, account, sealed(), {"If-Match": etag}).refused(412, "precondition-failed")
    assert there(admin_client, account) == {"recovery": text}


def test_a_slot_that_is_not_there_cannot_be_replaced(admin_client: Client, account: str) -> None:
    etag = put(admin_client, account, sealed(), NEW, "passphrase").made(200)["etag"]
    for wanted in (etag, "*"):
        put(admin_client, account, sealed(), {"If-Match": wanted}).refused(412, "precondition-failed")
    assert list(there(admin_client, account)) == ["passphrase"]


@pytest.mark.parametrize(
    "headers", [{}, {"If-None-Match": '"x"'}, {"If-None-Match": ""}, {"If-None-Match": "*", "If-Match": "x"}]
)
def test_a_slot_wants_one_precondition(admin_client: Client, account: str, headers: Headers) -> None:
    put(admin_client, account, sealed(), headers).refused(400, "invalid-request", "If-Match")
    assert there(admin_client, account) == {}


def test_of_two_that_make_the_first_slot_at_once_one_wins(admin_client: Client, account: str) -> None:
    texts = [sealed() for _ in range(6)]
    answers = at_once([partial(put, admin_client, account, text, NEW) for text in texts])
    winners = [text for text, answer in zip(texts, answers, strict=True) if answer.status == 200]
    assert sorted(answer.status for answer in answers) == [200, *[412] * 5]
    assert there(admin_client, account) == {"recovery": winners[0]}


def test_of_two_that_replace_a_slot_at_once_one_wins(admin_client: Client, account: str) -> None:
    etag = put(admin_client, account, sealed(), NEW).made(200)["etag"]
    answers = at_once([lambda: put(admin_client, account, sealed(), {"If-Match": etag})] * 6)
    assert sorted(answer.status for answer in answers) == [200, *[412] * 5]


@pytest.mark.parametrize(
    "slot", ["other", "Recovery", "device-", "device-x", "recovery%0A", "recovery%20", "%00", ".."]
)
def test_a_slot_of_another_name_is_refused(admin_client: Client, account: str, slot: str) -> None:
    answer = put(admin_client, account, sealed(), NEW, slot)
    assert answer.status == 404 if slot == ".." else answer.refused(400, "invalid-request", "slot")
    assert there(admin_client, account) == {}


def test_slots_of_devices_and_passphrases_lie_beside_the_first(admin_client: Client, device: Device) -> None:
    wanted = {name: sealed() for name in (f"device-{device.id}", "passphrase", "recovery")}
    for name, text in wanted.items():
        put(device.log_in(), device.account, text, NEW, name).made(200)
    assert there(admin_client, device.account) == wanted


@pytest.mark.parametrize(
    "text", ["!!!!", "AAA", "AAAAA", "====", "A" * 5468, "", "\u0000\u0000\u0000\u0000", "AA\nA", "AAAA\n"]
)
def test_what_is_not_base_64_of_at_most_4_kib_is_refused(admin_client: Client, account: str, text: str) -> None:
    put(admin_client, account, text, NEW).refused(400, "invalid-request", "sealed")
    assert there(admin_client, account) == {}


def test_a_slot_of_4_kib_fits(admin_client: Client, account: str) -> None:
    text = base64.b64encode(secrets.token_bytes(4096)).decode()
    put(admin_client, account, text, NEW).made(200)
    assert there(admin_client, account) == {"recovery": text}
