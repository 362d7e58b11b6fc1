"""The price book, and the charges that rest on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId


class ChargeKind(StrEnum):
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_RENEWED = "certificate.renewed"


PRICE_EUR_EACH: Mapping[ChargeKind, Decimal] = {
    ChargeKind.CERTIFICATE_ISSUED: Decimal("99.00"),  # G8
    ChargeKind.CERTIFICATE_RENEWED: Decimal("99.00"),  # G8
}


@dataclass(frozen=True, slots=True)
class Charge:
    """One certificate on the customer's bill, at the price of its day."""

    customer: CustomerId
    account: AccountId
    device: DeviceId
    certificate: CertificateId
    kind: ChargeKind
    amount_eur: Decimal
    at: datetime
