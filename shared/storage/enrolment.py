"""Enrolment codes, revoked certificates, and what certificates cost."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.enrolment import EnrolmentCode
from shared.domain.ids import CertificateId
from shared.domain.prices import Charge
from shared.storage.mapping import Mapper

CODE_ROW = "code"
REVOKED = "revoked"
"""The one partition of the revocation list."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate that the revocation list names until it would have ended anyway."""

    certificate: CertificateId
    revoked_at: datetime
    not_after: datetime


CODES = Mapper("codes", EnrolmentCode, key=lambda code: (code.sha256, CODE_ROW))
REVOCATIONS = Mapper("revocations", Revocation, key=lambda revocation: (REVOKED, revocation.certificate))
CHARGES = Mapper("charges", Charge, key=lambda charge: (charge.customer, charge.certificate))
