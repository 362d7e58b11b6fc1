"""The devices' authority: the same certificates whether its key lies beside it or in Key Vault (G8)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from azure.core.exceptions import AzureError
from azure.keyvault.keys import KeyClient
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from shared.domain.certificates import Certificate
from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId
from shared.identity.ca import KEY_BITS, Authority, Subject, key_in_vault, self_signed
from tests.certificates import CA
from tests.keys.vault_stand_in import Credential, Vault, refusal, running

NOW = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=UTC)
SUBJECT = Subject(DeviceId.make(NOW, bytes(10)), AccountId.make(NOW, bytes(10)), CustomerId.make(NOW, bytes(10)))
SERIAL = CertificateId.make(NOW, b"0123456789")


@pytest.fixture
def vault(authority: trustme.CA) -> Iterator[Vault]:
    with running(authority) as started:
        yield started


def in_key_vault(vault: Vault, trusted: Path) -> Authority:
    """Made as an operator would: a key in the vault, and a certificate that the vault has signed."""
    pipeline = {"verify_challenge_resource": False, "connection_verify": str(trusted), "retry_backoff_factor": 0.01}
    key_id = KeyClient(vault.url, Credential(), **pipeline).create_rsa_key("devices-ca", size=KEY_BITS).id
    assert key_id is not None
    key = key_in_vault(key_id, Credential(), **pipeline)
    return Authority.of(self_signed("Hort in a vault", key, NOW).public_bytes(Encoding.PEM).decode(), key)


@pytest.fixture(params=["local", "key vault"])
def devices_ca(request: pytest.FixtureRequest, vault: Vault, trusted: Path) -> Authority:
    return Authority.local(CA) if request.param == "local" else in_key_vault(vault, trusted)


def issue(authority: Authority) -> Certificate:
    return authority.issue(SUBJECT, Ed25519PrivateKey.generate().public_key(), SERIAL, NOW)


def test_what_it_issues_is_signed_by_it_and_lasts_two_years(devices_ca: Authority) -> None:
    issued = issue(devices_ca)
    certificate = x509.load_pem_x509_certificate(issued.pem.encode())
    certificate.verify_directly_issued_by(devices_ca.certificate)
    assert certificate.serial_number == SERIAL.serial_number
    assert issued.not_before == NOW.replace(microsecond=0)
    assert issued.not_after == issued.not_before.replace(year=2028)


def test_its_own_certificate_may_sign_and_is_no_devices(devices_ca: Authority) -> None:
    mine = devices_ca.certificate
    mine.verify_directly_issued_by(mine)
    assert mine.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = mine.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_its_revocation_list_is_good_for_a_day(devices_ca: Authority) -> None:
    crl = x509.load_der_x509_crl(devices_ca.revocation_list([(SERIAL, NOW)], NOW))
    key = devices_ca.certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    assert crl.is_signature_valid(key)
    assert crl.next_update_utc == NOW.replace(microsecond=0) + timedelta(days=1)
    assert [entry.serial_number for entry in crl] == [SERIAL.serial_number]


def test_an_authority_of_another_key_has_not_signed_it(vault: Vault, trusted: Path) -> None:
    issued = x509.load_pem_x509_certificate(issue(in_key_vault(vault, trusted)).pem.encode())
    with pytest.raises(ValueError, match="does not match"):
        issued.verify_directly_issued_by(Authority.local(CA).certificate)


def test_key_vault_signs_once_a_certificate_and_the_key_stays_there(vault: Vault, trusted: Path) -> None:
    authority = in_key_vault(vault, trusted)
    before = vault.count("/sign")
    issue(authority)
    assert vault.count("/sign") == before + 1
    with pytest.raises(ValueError, match="couldn't be created"):
        authority.key.private_numbers().d  # noqa: B018


def test_a_vault_that_is_busy_is_asked_again_and_one_that_is_down_is_told(vault: Vault, trusted: Path) -> None:
    authority = in_key_vault(vault, trusted)
    vault.faults = [refusal(429, "Throttled", Retry_After="0")]
    issue(authority)
    vault.faults = [refusal(503, "Down")] * 20
    with pytest.raises(AzureError):
        issue(authority)
