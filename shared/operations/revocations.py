"""Devices that are out for ever: lost, stolen or replaced (N16)."""

from contextlib import suppress
from datetime import datetime
from functools import lru_cache

from shared.domain.devices import revoked
from shared.domain.ids import DeviceId
from shared.domain.tenancy import Account, Device, DeviceState
from shared.operations import devices, grants, sessions, slots
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.enrolment import REVOKED, Revocation
from shared.storage.tables import AlreadyThere


def revoke_device(services: Services, account: Account, device: DeviceId) -> Device:
    """Its tokens, sessions, grants, certificates and key slot end now. Safe to repeat."""
    # Device first: from here on it gets no token, session or grant. The rest takes back what it has.
    gone = until_unchanged(lambda: _revoke(services, account, device))
    sessions.fence_all(services, account.id, gone.id)
    grants.renew_all(services, account.customer, account.id)
    slots.remove_device_slot(services, account.id, gone.id)
    _put_on_list(services, gone)
    return gone


def revocation_list(services: Services) -> bytes:
    """DER, at most a minute old, so that our key signs no oftener. We ourselves go by the device's row, at once."""
    return _signed(services, services.now().replace(second=0, microsecond=0))


@lru_cache(maxsize=1)
def _signed(services: Services, minute: datetime) -> bytes:
    alive = (known for known in services.revocations.all(REVOKED) if known.not_after > minute)
    return services.authority.revocation_list(((known.certificate, known.revoked_at) for known in alive), minute)


def _revoke(services: Services, account: Account, device: DeviceId) -> Device:
    row = devices.get(services, account.id, device)
    if row.value.state is DeviceState.REVOKED:
        return row.value
    return services.devices.replace(row, revoked(row.value, services.now())).value


def _put_on_list(services: Services, device: Device) -> None:
    assert device.revoked_at is not None, "a revoked device says since when"
    for certificate in device.certificates:
        with suppress(AlreadyThere):
            services.revocations.insert(Revocation(certificate.id, device.revoked_at, certificate.not_after))
