"""Chargeable events, each booked once."""

from contextlib import suppress

from shared.domain.certificates import Certificate
from shared.domain.prices import PRICE_EUR_EACH, Charge, ChargeKind
from shared.domain.tenancy import Device
from shared.services import Services
from shared.storage.tables import AlreadyThere


def charge_certificate(services: Services, device: Device, certificate: Certificate, kind: ChargeKind) -> None:
    """Safe to repeat: a certificate is charged once, at the price of the first time (G8)."""
    charge = Charge(
        customer=device.customer,
        account=device.account,
        device=device.id,
        certificate=certificate.id,
        kind=kind,
        amount_eur=PRICE_EUR_EACH[kind],
        at=certificate.not_before,
    )
    with suppress(AlreadyThere):
        services.charges.insert(charge)
