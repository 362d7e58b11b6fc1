"""The provider's certificate authority: issues devices' certificates (G8) and says which are revoked (N16)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from azure.core.credentials import TokenCredential
from azure.keyvault.keys.crypto import CryptographyClient
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.domain.certificates import Certificate, two_years_after
from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId
from shared.identity.certificates import describe

CA_LIFETIME = timedelta(days=20 * 365)
CRL_LIFETIME = timedelta(days=1)
KEY_BITS = 3072


@dataclass(frozen=True, slots=True)
class Subject:
    """All that a certificate says of a device: identities, no names."""

    device: DeviceId
    account: AccountId
    customer: CustomerId

    def name(self) -> x509.Name:
        return _name(
            (NameOID.ORGANIZATION_NAME, self.customer),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, self.account),
            (NameOID.COMMON_NAME, self.device),
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """`key` may lie in Key Vault: signing is then the one remote call."""

    certificate: x509.Certificate
    key: RSAPrivateKey

    @classmethod
    def local(cls, pem: str) -> Self:
        """Certificate and private key in one PEM text, as `new_authority` makes it."""
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("HORT_CA: the private key is not an RSA key")
        return cls(x509.load_pem_x509_certificate(pem.encode()), key)

    @classmethod
    def of(cls, pem: str, key: RSAPrivateKey) -> Self:
        """The certificate alone as PEM; the key is somewhere else."""
        return cls(x509.load_pem_x509_certificate(pem.encode()), key)

    def issue(self, subject: Subject, key: Ed25519PublicKey, identity: CertificateId, now: datetime) -> Certificate:
        """A client certificate for two years from `now`."""
        start = now.replace(microsecond=0)
        builder = x509.CertificateBuilder(self.certificate.subject, subject.name(), key, identity.serial_number)
        builder = builder.not_valid_before(start).not_valid_after(two_years_after(start))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        builder = builder.add_extension(self._key_identifier(), critical=False)
        return describe(builder.sign(self.key, SHA256()), identity)

    def revocation_list(self, revoked: Iterable[tuple[CertificateId, datetime]], now: datetime) -> bytes:
        """The CRL as DER (RFC 5280 §5); numbered by the second it is made in."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject)
        builder = builder.last_update(now).next_update(now + CRL_LIFETIME)
        builder = builder.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        builder = builder.add_extension(self._key_identifier(), critical=False)
        for identity, at in revoked:
            entry = x509.RevokedCertificateBuilder(identity.serial_number, at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        own = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def new_authority(name: str, now: datetime) -> str:
    """A fresh authority as `HORT_CA` wants it: certificate and private key in PEM. Secret."""
    key = generate_private_key(65537, KEY_BITS)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return self_signed(name, key, now).public_bytes(Encoding.PEM).decode() + secret.decode()


def key_in_vault(key_id: str, credential: TokenCredential, **options: Any) -> RSAPrivateKey:
    """A key that signs where it lies, in Key Vault. `options` are the SDK's own."""
    return CryptographyClient(key_id, credential, **options).create_rsa_private_key()


def self_signed(name: str, key: RSAPrivateKey, now: datetime) -> x509.Certificate:
    """The authority's own certificate; `key` may lie in Key Vault."""
    subject, public = _name((NameOID.COMMON_NAME, name)), key.public_key()
    builder = x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + CA_LIFETIME)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.sign(key, SHA256())


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _key_usage(*, digital_signature: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
