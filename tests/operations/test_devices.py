"""Devices' certificates and enrolment codes: issued on proof, renewed in time, charged once, good once."""

# pyright: reportUnknownMemberType=false
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.domain.certificates import NotDue, renewable_from, two_years_after
from shared.domain.errors import Conflict, HortError, Malformed, NotAuthenticated, NotFound
from shared.domain.ids import CertificateId, CodeId, DeviceId, UserId
from shared.domain.prices import ChargeKind
from shared.domain.tenancy import Device
from shared.operations import devices, enrolment
from shared.operations.devices import RegisterDevice, RenewCertificate
from shared.operations.enrolment import Enrol, MakeCode
from tests.certificates import csr
from tests.conftest import Clock
from tests.operations.world import World


def register(world: World, request: str, device: DeviceId | None = None) -> Device:
    order = RegisterDevice(device or world.services.new(DeviceId), world.account, "pc", "linux", request)
    return devices.register(world.services, order)


def renewal(world: World, key: Ed25519PrivateKey | None = None) -> RenewCertificate:
    identity = world.services.new(CertificateId)
    return RenewCertificate(identity, world.id, world.caller.id, csr(key or world.device.key))


def row(world: World) -> Device:
    return devices.get(world.services, world.id, world.caller.id).value


def charges(world: World) -> list[tuple[ChargeKind, Decimal]]:
    return [(c.kind, c.amount_eur) for c in world.services.charges.all(world.account.customer)]


def test_a_certificate_names_identities_and_nobody(world: World) -> None:
    made = register(world, csr())
    certificate = x509.load_pem_x509_certificate(made.certificates[0].pem.encode())
    certificate.verify_directly_issued_by(world.services.authority.certificate)
    said = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert said == {
        NameOID.COMMON_NAME: made.id,
        NameOID.ORGANIZATIONAL_UNIT_NAME: world.id,
        NameOID.ORGANIZATION_NAME: world.account.customer,
    }
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.serial_number == made.certificates[0].id.serial_number


def test_a_repeated_registration_keeps_the_first_key_and_is_charged_once(world: World) -> None:
    first = register(world, csr())
    assert register(world, csr(), first.id) == first
    assert charges(world) == [(ChargeKind.CERTIFICATE_ISSUED, Decimal("99.00"))] * 2, "the world's device and this one"


def forged() -> str:
    """Asks for one key, signed with another: who does so does not hold the key."""
    mine = x509.load_pem_x509_csr(csr().encode()).public_bytes(Encoding.DER)
    other = x509.load_pem_x509_csr(csr().encode()).public_bytes(Encoding.DER)
    return x509_pem(mine[:-64] + other[-64:])


def x509_pem(der: bytes) -> str:
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()


def of_another_kind() -> str:
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(generate_private_key(SECP256R1()), SHA256())
    return request.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (forged(), "not signed with the key"),
        (of_another_kind(), "another key than Ed25519"),
        ("", "not a certification request"),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            "not a certification request",
        ),
        (csr()[:200], "not a certification request"),
    ],
)
def test_who_does_not_prove_to_hold_the_key_gets_no_certificate(world: World, request_: str, reason: str) -> None:
    device = world.services.new(DeviceId)
    with pytest.raises(Malformed, match=reason):
        register(world, request_, device)
    with pytest.raises(NotFound):
        devices.get(world.services, world.id, device)


def test_a_renewal_a_moment_too_early_is_refused_and_not_charged(world: World, clock: Clock) -> None:
    clock.at = renewable_from(row(world).certificates[0]) - timedelta(seconds=1)
    with pytest.raises(NotDue):
        devices.renew(world.services, renewal(world))
    assert len(charges(world)) == 1
    clock.move(timedelta(seconds=1))
    assert devices.renew(world.services, renewal(world)).certificates[0].not_after == two_years_after(clock.at)
    assert charges(world)[1:] == [(ChargeKind.CERTIFICATE_RENEWED, Decimal("99.00"))]


def test_a_renewal_whose_answer_was_lost_is_answered_again_and_charged_once(world: World, clock: Clock) -> None:
    clock.move(timedelta(days=700))
    order = renewal(world)
    first = devices.renew(world.services, order)
    assert devices.renew(world.services, order) == first
    assert len(charges(world)) == 2


def test_of_two_renewals_at_once_one_is_charged(world: World, clock: Clock) -> None:
    clock.move(timedelta(days=700))

    def attempt(order: RenewCertificate) -> Device | HortError:
        try:
            return devices.renew(world.services, order)
        except NotDue as no:
            return no

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, [renewal(world) for _ in range(4)]))
    assert sum(isinstance(answer, Device) for answer in answers) == 1
    assert len(charges(world)) == 2


def test_a_renewal_may_bring_a_new_key(world: World, clock: Clock) -> None:
    clock.move(timedelta(days=700))
    key = Ed25519PrivateKey.generate()
    renewed = devices.renew(world.services, renewal(world, key))
    assert renewed.public_key == key.public_key().public_bytes_raw()
    old, new = (
        devices.assertion_key(world.services, renewed, c.thumbprint).public_bytes_raw()
        for c in reversed(renewed.certificates)
    )
    assert new == renewed.public_key
    assert old == world.device.key.public_key().public_bytes_raw(), "whose answer got lost still has only the old one"


def ordered(world: World) -> MakeCode:
    return MakeCode(world.services.new(CodeId), world.account, world.services.new(UserId))


def code(world: World) -> str:
    return enrolment.make_code(world.services, ordered(world)).code


def come_in(world: World, text: str, request: str) -> Device:
    return enrolment.enrol(world.services, Enrol(world.services.new(DeviceId), text, "pc", "linux", request))


def test_a_code_brings_a_device_into_its_account(world: World) -> None:
    text = code(world)
    made = come_in(world, f"  {text.upper()}\n", csr())
    assert (made.account, made.customer) == (world.id, world.account.customer)
    assert devices.get(world.services, world.id, made.id).value == made


def test_of_a_code_only_the_hash_is_stored(world: World) -> None:
    text = code(world)
    assert len(text.replace("-", "")) == 20, "20 of 31 letters are 99 bits"
    stored = [*world.services.codes.client.list_entities(), *world.services.code_names.client.list_entities()]
    assert stored
    assert text not in repr(stored)


def test_of_many_devices_that_race_with_one_code_one_comes_in(world: World) -> None:
    text, before = code(world), len(list(world.services.devices.all(world.id)))

    def attempt(request: str) -> bool:
        try:
            come_in(world, text, request)
        except NotAuthenticated:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, [csr() for _ in range(6)])) == 1
    assert len(list(world.services.devices.all(world.id))) == before + 1


def test_a_device_that_asks_again_is_the_same_device(world: World) -> None:
    text, request = code(world), csr()
    assert come_in(world, text, request) == come_in(world, text, request)


@pytest.mark.parametrize("text", ["", "aaaaa-aaaaa-aaaaa-aaaaa", "x" * 100])
def test_an_unknown_code_opens_nothing(world: World, text: str) -> None:
    with pytest.raises(NotAuthenticated, match="no such enrolment code"):
        come_in(world, text, csr())


def test_a_code_of_yesterday_opens_nothing(world: World, clock: Clock) -> None:
    text = code(world)
    clock.move(timedelta(hours=24))
    with pytest.raises(NotAuthenticated, match="expired"):
        come_in(world, text, csr())


def test_a_bad_request_does_not_use_up_the_code(world: World) -> None:
    text = code(world)
    with pytest.raises(Malformed):
        come_in(world, text, forged())
    come_in(world, text, csr())


def test_a_repeated_order_shows_another_code_and_the_first_is_good_no_more(world: World, clock: Clock) -> None:
    """A code is kept nowhere: who did not hear the answer cannot be told the same again."""
    order = ordered(world)
    first = enrolment.make_code(world.services, order)
    clock.move(timedelta(minutes=1))
    second = enrolment.make_code(world.services, order)
    assert second.kept == replace(first.kept, sha256=second.kept.sha256), "one code, and it expires when it did"
    with pytest.raises(NotAuthenticated, match="no such"):
        come_in(world, first.code, csr())
    come_in(world, second.code, csr())
    with pytest.raises(Conflict, match="has come in"):
        enrolment.make_code(world.services, order)


def test_repeated_orders_at_once_leave_one_code_that_is_good(world: World) -> None:
    order = ordered(world)
    with ThreadPoolExecutor(4) as pool:
        made = [one.code for one in pool.map(enrolment.make_code, [world.services] * 4, [order] * 4)]

    def comes_in(text: str) -> bool:
        try:
            return bool(come_in(world, text, csr()))
        except NotAuthenticated:
            return False

    assert sum(comes_in(text) for text in made) == 1
