"""Devices over HTTP: codes, certificates in assertions, revocation at once, and a suspected breach (G8, N16)."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import csr
from tests.service.client import Client
from tests.service.people import Customer, Device, Service, User, register
from tests.service.together import at_once
from tests.service.vault import back_up, begin, put_blob

YEARS_DAYS = 731


def code(admin: Client, account: str) -> str:
    made = admin.post(f"/accounts/{account}/enrolment-codes").made()
    return made["code"]


def form(text: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    return {"name": "Laptop", "platform": "linux", "csr": csr(key), "code": text}


def enrol(service: Service, text: str) -> Device:
    key = Ed25519PrivateKey.generate()
    return Device.of(service, service.nobody.post("/enrolments", form(text, key)).made(), key)


def refused(device: Device, **header: Any) -> str:
    assertion = device.sign(device.claims(), **header)
    return device.assert_with(assertion).refused(401, "not-authenticated")["detail"]


def test_a_code_brings_one_device_in_without_a_password(service: Service, admin_client: Client, account: str) -> None:
    text = code(admin_client, account)
    device = enrol(service, text)
    assert device.account == account
    device.log_in().get(device.path).made(200)
    answer = service.nobody.post("/enrolments", form(text, Ed25519PrivateKey.generate()))
    assert "used before" in answer.refused(401, "not-authenticated")["detail"]


def test_of_devices_that_race_with_one_code_one_comes_in(service: Service, admin_client: Client, account: str) -> None:
    text = code(admin_client, account)
    forms = [form(text, Ed25519PrivateKey.generate()) for _ in range(4)]
    answers = at_once([lambda body=body: service.nobody.post("/enrolments", body) for body in forms])
    assert sorted(answer.status for answer in answers) == [201, 401, 401, 401]
    assert len(admin_client.get(f"/accounts/{account}/devices").made(200)["items"]) == 1


def test_the_device_that_used_a_code_gets_the_same_answer_again(
    service: Service, admin_client: Client, account: str
) -> None:
    body = form(code(admin_client, account), Ed25519PrivateKey.generate())
    assert service.nobody.post("/enrolments", body).made() == service.nobody.post("/enrolments", body).made()


def test_a_code_ends_after_a_day(timeless: Service) -> None:
    customer = timeless.customer()
    text = code(customer.user().log_in(), customer.account())
    timeless.advance(hours=24)
    answer = timeless.nobody.post("/enrolments", form(text, Ed25519PrivateKey.generate()))
    assert "expired" in answer.refused(401, "not-authenticated")["detail"]


def test_enrolling_is_on_record(service: Service, customer: Customer, admin_client: Client, account: str) -> None:
    device = enrol(service, code(admin_client, account))
    records = admin_client.get("/audit", actor=f"device {device.id}", limit=1000).made(200)["items"]
    assert (records[0]["deed"], records[0]["outcome"]) == ("device.register", "done")
    assert records[0]["subject"] == device.path


def test_a_device_is_shown_with_its_certificate_and_state(admin_client: Client, device: Device) -> None:
    for shown in (
        admin_client.get(device.path).made(200),
        admin_client.get(f"/accounts/{device.account}/devices").made(200)["items"][0],
    ):
        certificate = x509.load_pem_x509_certificate(shown["certificate"].encode())
        assert shown["state"] == "active"
        assert certificate.not_valid_after_utc.isoformat().startswith(shown["certificate_until"][:19])


@pytest.mark.parametrize("named", [..., "", "A" * 43, 7, None, []])
def test_an_assertion_that_names_no_certificate_of_the_device_is_refused(device: Device, named: Any) -> None:
    assert "x5t#S256" in refused(device, **{"x5t#S256": named})


def test_another_devices_certificate_is_of_no_use(service: Service, admin_client: Client, device: Device) -> None:
    other = register(service, admin_client, device.account)
    assert "x5t#S256" in refused(device, **{"x5t#S256": other.thumbprint})
    thief = replace(other, key=device.key)
    refused(thief)


def test_a_certificate_ends_after_two_years_and_is_renewed_in_its_last_sixty_days(timeless: Service) -> None:
    customer = timeless.customer()
    device = register(timeless, customer.user().log_in(), customer.account())
    path, body = f"{device.path}/certificates", {"csr": csr(device.key)}
    timeless.advance(days=YEARS_DAYS - 63)
    device.log_in().post(path, body).refused(409, "not-due")
    timeless.advance(days=5)
    key = secrets.token_hex(16)
    made = device.log_in().post(path, body, key=key).made()
    assert device.log_in().post(path, body, key=key).made() == made, "asked again, it is the same one"
    renewed = replace(device, certificate=made["certificate"])
    timeless.advance(days=60)
    assert "certificate is good from" in refused(device)
    renewed.log_in().get(device.path).made(200)


def test_no_device_renews_anothers_certificate(service: Service, admin_client: Client, device: Device) -> None:
    other = register(service, admin_client, device.account)
    device.log_in().post(f"{other.path}/certificates", {"csr": csr()}).refused(404, "not-found")


def test_a_revoked_device_is_out_at_once(admin_client: Client, device: Device) -> None:
    backup = begin(device)
    admin_client.post(f"{device.path}/revoke").made(200)
    backup.client.get(device.path).refused(401, "not-authenticated")
    assert put_blob(backup.packs_url, f"{backup.id}/{'0' * 64}", b"late").status == 403
    assert "revoked" in refused(device)
    shown = admin_client.get(device.path).made(200)
    assert shown["state"] == "revoked"
    assert shown["revoked_at"] is not None


def test_the_revocation_list_is_signed_and_names_the_revoked(timeless: Service) -> None:
    customer = timeless.customer()
    admin = customer.user().log_in()
    device = register(timeless, admin, customer.account())
    admin.post(f"{device.path}/revoke").made(200)
    timeless.advance(minutes=1)
    answer = timeless.nobody.pool.request("GET", f"{timeless.stack.url}/api/v1/devices.crl")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pkix-crl")
    crl = x509.load_der_x509_crl(answer.data)
    serial = x509.load_pem_x509_certificate(device.certificate.encode()).serial_number
    assert crl.get_revoked_certificate_by_serial_number(serial) is not None


def test_after_a_loss_the_device_is_revoked_and_a_new_one_comes_in(
    service: Service, admin_client: Client, device: Device
) -> None:
    snapshot = back_up(device).id
    admin_client.post(f"{device.path}/revoke").made(200)
    new = enrol(service, code(admin_client, device.account))
    shown = new.log_in().get(f"/accounts/{device.account}/snapshots").made(200)["items"]
    assert [item["id"] for item in shown] == [snapshot]


def changed(user: User) -> User:
    chosen = secrets.token_hex(16)
    user.service.secrets.add(chosen)
    user.log_in().post("/password", {"old_password": user.password, "new_password": chosen}).made(200)
    return replace(user, password=chosen)


def test_one_call_locks_an_account_and_new_credentials_open_it(service: Service, customer: Customer) -> None:
    admin, account = customer.user("admin"), customer.account()
    client = admin.log_in()
    device = register(service, client, account)
    backup = begin(device)
    path = f"/customers/{customer.id}/accounts/{account}/lock"
    locked = customer.operator.post(path, {"note": "the customer called"}).made(200)
    assert locked["incident"]
    backup.client.get(device.path).refused(401, "not-authenticated")
    assert put_blob(backup.packs_url, f"{backup.id}/{'0' * 64}", b"late").status == 403
    client.post(f"/accounts/{account}/restores", {}).refused(403, "account-locked")
    device.log_in().get(device.path).refused(403, "account-locked")
    client.post(f"/accounts/{account}/unlock").refused(409, "conflict")
    fresh = changed(admin).log_in()
    assert fresh.post(f"/accounts/{account}/unlock").made(200)["locked_at"] is None
    device.log_in().get(device.path).made(200)
    begin(device)


def test_locking_is_on_record_with_the_instruction(customer: Customer, admin_client: Client, account: str) -> None:
    path = f"/customers/{customer.id}/accounts/{account}/lock"
    customer.operator.call("POST", path, {}, {"Hort-Instruction": "call of 14:05"}).made(200)
    acts = admin_client.get("/audit", deed="account.lock", limit=1000).made(200)["items"]
    assert [act["instruction"] for act in acts if act["subject"].startswith(path)] == ["call of 14:05"]


def test_a_request_in_another_encoding_is_refused(admin_client: Client, account: str) -> None:
    der = x509.load_pem_x509_csr(csr().encode()).public_bytes(Encoding.DER)
    body = {"name": "N", "platform": "P", "csr": der.hex()}
    admin_client.post(f"/accounts/{account}/devices", body).refused(400, "invalid-request", "csr")


def test_codes_charges_and_incidents_are_listed_and_narrowed(service: Service, operator: Client) -> None:
    customer = service.customer(operator)
    admin, (account, other) = customer.user().log_in(), (customer.account() for _ in range(2))
    codes = f"/accounts/{account}/enrolment-codes"
    used, unused = (admin.post(codes).made() for _ in range(2))
    service.secrets.add(used["code"], unused["code"])
    body = {"name": "N", "platform": "P", "csr": csr(), "code": used["code"]}
    device = service.nobody.post("/enrolments", body).made()
    register(service, admin, other)

    def states(**query: str) -> list[tuple[str, str, str | None]]:
        items = admin.get(codes, **query).made(200)["items"]
        return [(item["id"], item["state"], item["device"]) for item in items]

    assert states() == [(used["id"], "used", device["id"]), (unused["id"], "open", None)]
    assert states(state="open") == [(unused["id"], "open", None)]
    assert used["code"] not in admin.get(codes).data.decode()
    admin.get(codes, state="lost").refused(400, "invalid-request", "state")

    charges = f"/customers/{customer.id}/charges"
    for caller in (admin, operator):
        items = caller.get(charges, account=account).made(200)["items"]
        assert [(item["device"], item["kind"], item["amount_eur"]) for item in items] == [
            (device["id"], "certificate.issued", "99.00")
        ]
        assert len(caller.get(charges, kind="certificate.issued").made(200)["items"]) == 2
        assert caller.get(charges, kind="certificate.renewed").made(200)["items"] == []
    admin.get(charges, account="x").refused(400, "invalid-request", "account")
    operator.get(f"/customers/{'0' * 26}/charges").refused(404, "not-found")

    incidents = f"/customers/{customer.id}/incidents"
    operator.post(f"/customers/{customer.id}/accounts/{other}/lock", {"note": "a strange log-in"}).made(200)
    items = admin.get(incidents, account=other, kind="suspected-breach").made(200)["items"]
    assert [item["note"] for item in items] == ["a strange log-in"]
    assert operator.get(incidents, account=account).made(200)["items"] == []
    assert admin.get(f"/accounts/{other}/enrolment-codes").made(200)["items"] == []
