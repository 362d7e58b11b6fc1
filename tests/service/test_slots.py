"""Key slots: never overwritten blindly, whoever races whom."""

import base64
import secrets
from functools import partial

import pytest

from tests.service.client import Answer, Client, Headers
from tests.service.people import Customer, Device, Service, register
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


def kit_tested(client: Client, device: Device, etag: str) -> Answer:
    return client.post(f"{device.path}/kit-test", {"recovery_etag": etag})


def test_a_device_is_protected_once_its_kit_was_tested(admin_client: Client, device: Device) -> None:
    etag = put(admin_client, device.account, sealed(), NEW).made(200)["etag"]
    client = device.log_in()
    assert client.get(device.path).made(200)["protected_at"] is None
    protected = kit_tested(client, device, etag).made(200)
    assert protected["device"] == device.id
    assert client.get(device.path).made(200)["protected_at"] == protected["protected_at"]


def test_a_test_of_a_kit_that_was_renewed_meanwhile_counts_for_nothing(admin_client: Client, device: Device) -> None:
    old = put(admin_client, device.account, sealed(), NEW).made(200)["etag"]
    put(admin_client, device.account, sealed(), {"If-Match": old}).made(200)
    client = device.log_in()
    kit_tested(client, device, old).refused(412, "precondition-failed")
    assert client.get(device.path).made(200)["protected_at"] is None


def test_no_device_speaks_for_another(service: Service, admin_client: Client, device: Device) -> None:
    etag = put(admin_client, device.account, sealed(), NEW).made(200)["etag"]
    other = register(service, admin_client, device.account)
    kit_tested(device.log_in(), other, etag).refused(404, "not-found")


def test_a_device_replaces_its_own_slot_only(service: Service, admin_client: Client, device: Device) -> None:
    """A stolen device must not lock its owner out."""
    other = register(service, admin_client, device.account)
    client, text = device.log_in(), sealed()
    for slot in ("recovery", "passphrase", f"device-{other.id}"):
        etag = put(admin_client, device.account, text, NEW, slot).made(200)["etag"]
        put(client, device.account, sealed(), {"If-Match": etag}, slot).refused(403, "forbidden")
    own = put(client, device.account, text, NEW, f"device-{device.id}").made(200)["etag"]
    put(client, device.account, sealed(), {"If-Match": own}, f"device-{device.id}").made(200)
    third = register(service, admin_client, device.account)
    put(client, device.account, sealed(), NEW, f"device-{third.id}").refused(403, "forbidden")


def test_a_passphrase_is_taken_away_and_nothing_else_is(admin_client: Client, device: Device) -> None:
    for name in ("passphrase", "recovery", f"device-{device.id}"):
        put(admin_client, device.account, sealed(), NEW, name).made(200)
    slots = f"/accounts/{device.account}/slots"
    device.log_in().call("DELETE", f"{slots}/passphrase").refused(403, "forbidden")
    for name in ("recovery", f"device-{device.id}", "other"):
        admin_client.call("DELETE", f"{slots}/{name}").refused(403, "forbidden")
    for _ in range(2):
        assert admin_client.call("DELETE", f"{slots}/passphrase").made(200)["name"] == "passphrase"
    assert there(admin_client, device.account).keys() == {"recovery", f"device-{device.id}"}


def test_a_rotation_of_our_key_is_nothing_that_a_customer_sees(
    operator: Client, customer: Customer, admin_client: Client, account: str
) -> None:
    put(admin_client, account, sealed(), NEW).made(200)
    put(admin_client, account, sealed(), NEW, "passphrase").made(200)
    before = admin_client.get(f"/accounts/{account}/slots").made(200)
    path = f"/customers/{customer.id}/accounts/{account}/rotate-key"
    first, second = (operator.post(path).made(200) for _ in range(2))
    assert (first["account"], first["rewrapped"], second["rewrapped"]) == (account, 2, 2)
    assert first["version"] != second["version"]
    assert admin_client.get(f"/accounts/{account}/slots").made(200) == before


def test_the_key_of_another_customer_s_account_is_not_rotated_in_passing(
    service: Service, operator: Client, account: str
) -> None:
    stranger = service.customer(operator)
    operator.post(f"/customers/{stranger.id}/accounts/{account}/rotate-key").refused(404, "not-found")


def test_without_our_key_no_slot_opens_and_the_customer_is_told(
    service: Service, admin_client: Client, account: str
) -> None:
    """The other half of the two locks: with the vault key destroyed, what is stored opens for nobody."""
    text = sealed()
    put(admin_client, account, text, NEW).made(200)
    keys = service.stack.keys / account
    keys.rename(keys.with_suffix(".away"))
    admin_client.get(f"/accounts/{account}/slots").refused(409, "key-gone")
    keys.with_suffix(".away").rename(keys)
    assert there(admin_client, account) == {"recovery": text}
