"""Incidents: something a technician must look at."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.ids import AccountId, CustomerId, IncidentId


class IncidentKind(StrEnum):
    SUSPECTED_BREACH = "suspected-breach"
    """Somebody may have got at an account's credentials or keys (N16)."""
    DATA_LOST = "data-lost"
    """Something that a kept snapshot needs is not there, or not as it was uploaded."""


@dataclass(frozen=True, slots=True)
class Incident:
    id: IncidentId
    customer: CustomerId
    account: AccountId
    kind: IncidentKind
    opened_at: datetime
    by: str
    """`user <id>`, as in the audit log."""
    note: str
