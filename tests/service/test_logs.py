"""The host's log: it tells what was called, and never a password, a token, a signature or a sealed slot."""

import base64
import secrets
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.service.client import Client, Secrets
from tests.service.people import Customer, Device, Service, new_device
from tests.service.vault import back_up, begin, signature_of


@pytest.mark.parametrize("kind", ["real time", "virtual time"])
def test_a_day_of_work_leaves_no_secret_in_the_log(service: Service, timeless: Service, kind: str) -> None:
    """Good requests and refused ones; each service is asked once more when its last test is over (conftest)."""
    here = service if kind == "real time" else timeless
    device = new_device(here)
    client = back_up(device).client
    slot = base64.b64encode(secrets.token_bytes(96)).decode()
    here.secrets.add(slot)
    path = f"/accounts/{device.account}/slots/recovery"
    for headers in ({"If-None-Match": "*"}, {"If-Match": "garbage"}, {}):
        client.put(path, {"sealed": slot}, headers)
    grant = client.post(f"/accounts/{device.account}/restores", {}).made()["grant"]
    here.secrets.add(signature_of(grant["packs_url"]), signature_of(grant["meta_url"]))
    here.nobody.holding(f"{client.token}x").get("/accounts").refused(401, "not-authenticated")
    begin(device, client).commit("0" * 64).refused(409, "objects-missing")
    log = here.log()
    assert "open_restore ok" in log
    assert len(here.secrets.heard) >= 8
    assert here.secrets.leaked_into(log) == []


def test_refused_passwords_and_assertions_are_not_logged(service: Service, customer: Customer, device: Device) -> None:
    password = secrets.token_hex(16)
    service.secrets.add(password)
    for login in (customer.user().login, f"{secrets.token_hex(8)}@muster.example"):
        answer = service.nobody.ask_token(grant_type="password", username=login, password=password)
        answer.refused(401, "not-authenticated")
    forger = replace(device, key=Ed25519PrivateKey.generate())
    forger.assert_with(forger.sign(device.claims())).refused(401, "not-authenticated")
    assert service.secrets.leaked_into(service.log()) == []


def test_no_key_of_the_service_is_logged_or_told(service: Service, operator: Client) -> None:
    keys = service.stack.settings.signing_keys.get_secret_value()
    storage = service.stack.settings.storage.get_secret_value()
    private = keys.partition('"d": "')[2].partition('"')[0]
    account_key = storage.partition("AccountKey=")[2].partition(";")[0]
    assert private
    assert account_key
    told = service.log() + operator.get("/jwks").data.decode()
    assert private not in told
    assert account_key not in told


def test_the_search_finds_what_is_there() -> None:
    planted = Secrets()
    planted.add("a-secret-that-is-long-enough", "short")
    assert planted.leaked_into("get_token a-secret-that-is-long-enough ok") == ["a-secret-that-is-long-enough"]
    assert planted.leaked_into("get_token ok, short") == []
