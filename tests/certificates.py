"""Certification requests as devices send them, and an authority for the tests."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId
from shared.identity.ca import Authority, Subject, new_authority
from shared.identity.certificates import read_request

CA = new_authority("Hort tests", datetime(2026, 1, 1, tzinfo=UTC))


def csr(key: Ed25519PrivateKey | None = None) -> str:
    """For this key, or for one that nobody keeps."""
    request = x509.CertificateSigningRequestBuilder(x509.Name([]))
    return request.sign(key or Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM).decode()


def certified(request: str, start: datetime) -> str:
    """A certificate in PEM that says no more than it must."""
    nobody = bytes(10)
    subject = Subject(DeviceId.make(start, nobody), AccountId.make(start, nobody), CustomerId.make(start, nobody))
    identity = CertificateId.make(start, b"stand-in..")
    return Authority.local(CA).issue(subject, read_request(request), identity, start).pem
