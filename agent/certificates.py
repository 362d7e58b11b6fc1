"""The device's certificate, as the device sees it: asked for, named in assertions, renewed in time."""

import base64
import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from shared.domain.errors import Malformed

RENEW_BEFORE = timedelta(days=60)
"""The service renews no earlier (G8)."""


def request_for(key: Ed25519PrivateKey) -> str:
    """A certification request in PEM, the same for the same key. The service knows who we are: no name in it."""
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, None)
    return request.public_bytes(Encoding.PEM).decode()


def thumbprint(pem: str) -> str:
    """SHA-256 of the DER in base64url, as `x5t#S256` wants it (RFC 7515 §4.1.8)."""
    digest = hashlib.sha256(_load(pem).public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def ends_at(pem: str) -> datetime:
    return _load(pem).not_valid_after_utc


def is_due(pem: str, now: datetime) -> bool:
    return now >= ends_at(pem) - RENEW_BEFORE


def _load(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise Malformed("certificate", "is not readable") from None
