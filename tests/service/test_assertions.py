"""Devices' assertions (RFC 7523): good once, for five minutes, for this service, for the device that signed them."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.service.client import Client
from tests.service.people import Device, Service, register

UNKNOWN = "0" * 26


def refuse(device: Device, **changed: Any) -> str:
    """Why an assertion with these claims is refused; `...` leaves a claim out."""
    claims = {name: claim for name, claim in {**device.claims(), **changed}.items() if claim is not ...}
    return device.assert_with(device.sign(claims)).refused(401, "not-authenticated")["detail"]


def in_seconds(device: Device, seconds: float) -> int:
    return int(device.service.now().timestamp() + seconds)


def test_a_good_assertion_gets_a_token_for_the_devices_account(device: Device) -> None:
    device.log_in().get(device.path).made(200)


def test_an_assertion_is_good_once(device: Device) -> None:
    assertion = device.sign(device.claims())
    device.assert_with(assertion).made(200)
    detail = device.assert_with(assertion).refused(401, "not-authenticated")["detail"]
    assert "used before" in detail


def test_a_jti_is_good_once_even_in_another_assertion(device: Device) -> None:
    claims = device.claims()
    device.assert_with(device.sign(claims)).made(200)
    device.assert_with(device.sign({**claims, "exp": claims["exp"] + 1})).refused(401, "not-authenticated")


def test_two_devices_may_use_the_same_jti_by_chance(device: Device, service: Service, admin_client: Client) -> None:
    other = register(service, admin_client, device.account)
    jti = secrets.token_hex(16)
    device.assert_with(device.sign({**device.claims(), "jti": jti})).made(200)
    other.assert_with(other.sign({**other.claims(), "jti": jti})).made(200)


def test_a_long_lived_assertion_is_refused(device: Device) -> None:
    assert "five minutes" in refuse(device, exp=in_seconds(device, 3600))


def test_an_expired_assertion_is_refused(device: Device) -> None:
    assert "expired" in refuse(device, iat=in_seconds(device, -500), exp=in_seconds(device, -200))


def test_an_assertion_from_the_future_is_refused(device: Device) -> None:
    assert "future" in refuse(device, iat=in_seconds(device, 200), exp=in_seconds(device, 300))


def test_an_assertion_that_is_not_good_yet_is_refused(device: Device) -> None:
    refuse(device, nbf=in_seconds(device, 200))


@pytest.mark.parametrize("audience", ["https://elsewhere.example/api/v1/token", "", None, 7, ["https://else.example"]])
def test_an_assertion_for_somebody_else_is_refused(device: Device, audience: Any) -> None:
    refuse(device, aud=audience)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "jti"])
def test_an_assertion_without_one_of_its_claims_is_refused(device: Device, claim: str) -> None:
    refuse(device, **{claim: ...})


@pytest.mark.parametrize("value", ["soon", "", [], {}, True, None, 1e300, -1e300, 10**40, "9" * 30, float("nan")])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_time_that_is_none_is_refused(device: Device, claim: str, value: Any) -> None:
    refuse(device, **{claim: value})


@pytest.mark.parametrize("jti", [7, [], {}, "", None])
def test_a_jti_that_is_none_is_refused(device: Device, jti: Any) -> None:
    answer = device.assert_with(device.sign({**device.claims(), "jti": jti}))
    assert answer.status in (400, 401), answer.data


@pytest.mark.parametrize("jti", ["short", "x" * 257])
def test_a_jti_that_is_too_short_or_too_long_is_refused(device: Device, jti: str) -> None:
    answer = device.assert_with(device.sign({**device.claims(), "jti": jti}))
    assert "jti" in answer.refused(400, "invalid-request", "client_assertion")["detail"]


def test_issuer_and_subject_must_be_the_same_device(device: Device, service: Service, admin_client: Client) -> None:
    other = register(service, admin_client, device.account)
    refuse(device, iss=f"{other.account}.{other.id}")
    refuse(device, sub=f"{other.account}.{other.id}")
    refuse(device, iss=f"{other.account}.{other.id}", sub=f"{other.account}.{other.id}")


@pytest.mark.parametrize(
    "subject",
    ["", ".", "x.y", f"{UNKNOWN}.{UNKNOWN}", f"{UNKNOWN}.{UNKNOWN}.{UNKNOWN}", f"{UNKNOWN}\n.{UNKNOWN}", 7, None, []],
)
def test_an_unknown_device_is_refused(device: Device, subject: Any) -> None:
    refuse(device, iss=subject, sub=subject)


def test_a_device_of_another_account_is_unknown_there(device: Device, service: Service, admin_client: Client) -> None:
    elsewhere = f"{UNKNOWN}.{device.id}"
    refuse(device, iss=elsewhere, sub=elsewhere)


@pytest.mark.parametrize("tail", ["\n", " ", "\u0000", "/"])
def test_a_subject_with_something_behind_it_is_refused(device: Device, tail: str) -> None:
    subject = f"{device.account}.{device.id}{tail}"
    refuse(device, iss=subject, sub=subject)


def test_an_assertion_that_another_key_signed_is_refused(device: Device) -> None:
    forger = replace(device, key=Ed25519PrivateKey.generate())
    forger.assert_with(forger.sign(device.claims())).refused(401, "not-authenticated")


@pytest.mark.parametrize("assertion", ["x", "a.b.c", "....", "e30.e30.", "e30.W10.AAAA", "\u00e4", "x" * 100_000])
def test_garbage_is_no_assertion(device: Device, assertion: str) -> None:
    device.assert_with(assertion).refused(401, "not-authenticated")


def test_an_access_token_is_no_assertion(device: Device) -> None:
    token = device.log_in().token
    assert token
    device.assert_with(token).refused(401, "not-authenticated")


def test_an_assertion_is_still_used_after_the_host_was_killed(timeless: Service) -> None:
    customer = timeless.customer()
    device = register(timeless, customer.user().log_in(), customer.account())
    assertion = device.sign(device.claims())
    device.assert_with(assertion).made(200)
    timeless.stack.kill_host()
    timeless.stack.start_host()
    device.assert_with(assertion).refused(401, "not-authenticated")
