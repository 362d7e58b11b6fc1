"""Enrolment codes, revoked certificates, and what certificates cost."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.enrolment import EnrolmentCode
from shared.domain.ids import AccountId, CertificateId, CodeId
from shared.domain.prices import Charge
from shared.storage.mapping import Mapper

CODE_ROW = "code"
REVOKED = "revoked"
"""The one partition of the revocation list."""


@dataclass(frozen=True, slots=True)
class CodeName:
    """Which code a hash belongs to: a device that comes in says nothing else."""

    sha256: str
    account: AccountId
    code: CodeId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate that the revocation list names until it would have ended anyway."""

    certificate: CertificateId
    revoked_at: datetime
    not_after: datetime


CODES = Mapper("codes", EnrolmentCode, key=lambda code: (code.account, code.id))
CODE_NAMES = Mapper("codenames", CodeName, key=lambda name: (name.sha256, CODE_ROW))
REVOCATIONS = Mapper("revocations", Revocation, key=lambda revocation: (REVOKED, revocation.certificate))
CHARGES = Mapper("charges", Charge, key=lambda charge: (charge.customer, charge.certificate))
