"""What is kept of a customer beside its vaults: charges and incidents."""

from decimal import Decimal

from shared.api.base import Instant, Reply
from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId, IncidentId
from shared.domain.incidents import IncidentKind
from shared.domain.prices import ChargeKind


class Charge(Reply):
    """One certificate on the customer's bill, at the price of its day."""

    certificate: CertificateId
    account: AccountId
    device: DeviceId
    kind: ChargeKind
    amount_eur: Decimal
    at: Instant


class Incident(Reply):
    """Something a technician must look at."""

    id: IncidentId
    customer: CustomerId
    account: AccountId
    kind: IncidentKind
    opened_at: Instant
    by: str
    """`user <id>`, as in the audit log."""
    note: str
