"""X.509 as devices see it: the request that proves who holds the key, and the certificate that comes of it."""

import base64
import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.domain.certificates import Certificate
from shared.domain.errors import Malformed
from shared.domain.ids import CertificateId


def read_request(pem: str) -> Ed25519PublicKey:
    """The key of a certification request (RFC 2986); its signature proves that the sender holds the private half.

    Nothing else that it wishes for is heeded. Raises `Malformed`.
    """
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        key = request.public_key()
        holds = request.is_signature_valid
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        raise Malformed("csr", "is not a certification request in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Malformed("csr", "asks for another key than Ed25519")
    if not holds:
        raise Malformed("csr", "is not signed with the key that it names")
    return key


def describe(certificate: x509.Certificate, identity: CertificateId) -> Certificate:
    return Certificate(
        id=identity,
        thumbprint=thumbprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        pem=certificate.public_bytes(Encoding.PEM).decode(),
    )


def thumbprint(certificate: x509.Certificate) -> str:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def verify_key(certificate: Certificate) -> Ed25519PublicKey:
    key = x509.load_pem_x509_certificate(certificate.pem.encode()).public_key()
    assert isinstance(key, Ed25519PublicKey), "we issue no others"
    return key


def raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
