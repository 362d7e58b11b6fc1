"""Certificates of devices: good for two years, renewed in the last sixty days (G8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import Conflict
from shared.domain.ids import CertificateId

RENEWAL_WINDOW = timedelta(days=60)


class NotDue(Conflict):
    """It is too early to renew this certificate."""

    def __init__(self, certificate: "Certificate") -> None:
        super().__init__(f"the certificate may be renewed from {renewable_from(certificate).isoformat()}")


@dataclass(frozen=True, slots=True)
class Certificate:
    id: CertificateId
    """Its number is the certificate's serial number."""
    thumbprint: str
    """SHA-256 of the DER, base64url without padding: what an assertion's `x5t#S256` says (RFC 7515 §4.1.8)."""
    not_before: datetime
    not_after: datetime
    pem: str


def two_years_after(start: datetime) -> datetime:
    """The same day two years later (G8); the 28th for a 29 February."""
    day = 28 if (start.month, start.day) == (2, 29) else start.day
    return start.replace(year=start.year + 2, day=day)


def renewable_from(certificate: Certificate) -> datetime:
    return certificate.not_after - RENEWAL_WINDOW


def refuse_if_not_due(certificate: Certificate, now: datetime) -> None:
    """Raises `NotDue`: who renews early pays twice for the same time."""
    if now < renewable_from(certificate):
        raise NotDue(certificate)
