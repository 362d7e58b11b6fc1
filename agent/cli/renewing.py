"""Renews the device's certificate in its last sixty days, without being asked (G8)."""

import hashlib
from contextlib import suppress

from agent.certificates import is_due, request_for
from agent.cli.device import Device
from agent.config import Home
from agent.engine.orders import utc_now
from agent.patience import Patience
from shared.domain.errors import HortError

SHORT = Patience(absence_seconds=3.0, attempts=2, silence_seconds=10.0)
"""A backup waits, and there are sixty days of other chances."""


def renew_in_time(home: Home) -> None:
    """Before a backup. Whatever goes wrong, the old certificate serves on, and the next backup tries again."""
    device = Device.load(home)
    if device.certificate is not None and is_due(device.certificate, utc_now()):
        with suppress(HortError):
            renew(home, device, device.certificate)


def renew(home: Home, device: Device, certificate: str) -> None:
    """For the same key: a copy of it gains nothing, and what it has signed stays good."""
    from agent.cli.remote import service_of  # half of the start-up time, and only needed once in two years
    from agent.transport import Transport

    who, transport = device.registration, Transport(SHORT)
    # The idempotency key comes from the old certificate, so that a lost answer costs no second one.
    once = hashlib.sha256(certificate.encode()).hexdigest()
    try:
        made = service_of(device, transport).renew_certificate(who.account, who.device, request_for(device.key), once)
        home.write_certificate(made.certificate)
    finally:
        transport.close()
