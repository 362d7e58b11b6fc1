"""Devices of an account, and the certificates by which they prove who they are."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.domain.breach import refuse_if_locked
from shared.domain.certificates import Certificate, refuse_if_not_due
from shared.domain.devices import proven_by, recertified
from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, CertificateId, DeviceId
from shared.domain.prices import ChargeKind
from shared.domain.tenancy import Account, Device
from shared.identity import certificates
from shared.identity.ca import Subject
from shared.identity.certificates import read_request
from shared.operations.charges import charge_certificate
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Stored


@dataclass(frozen=True, slots=True)
class RegisterDevice:
    id: DeviceId
    account: Account
    name: str
    platform: str
    csr: str
    """PEM; its signature proves that the device holds its key."""


@dataclass(frozen=True, slots=True)
class RenewCertificate:
    id: CertificateId
    account: AccountId
    device: DeviceId
    csr: str


def register(services: Services, order: RegisterDevice) -> Device:
    """A device with a certificate for two years (G8); idempotent. Raises `Malformed`, `AccountLocked`."""
    refuse_if_locked(order.account)
    key = read_request(order.csr)
    subject = Subject(order.id, order.account.id, order.account.customer)
    device = Device(
        id=order.id,
        account=order.account.id,
        customer=order.account.customer,
        name=order.name,
        platform=order.platform,
        public_key=certificates.raw(key),
        certificates=(services.authority.issue(subject, key, services.new(CertificateId), services.now()),),
        registered_at=services.now(),
    )
    # Device before charge: a crash here is mended by the repeated call, and nothing is charged that nobody got.
    made = _insert(services, device)
    charge_certificate(services, made, made.certificates[-1], ChargeKind.CERTIFICATE_ISSUED)
    return made


def renew(services: Services, order: RenewCertificate) -> Device:
    """The device with its next certificate, for the same key or a new one. Idempotent by the identity.

    Raises `NotDue`, `DeviceRevoked`, `Malformed`.
    """
    key = read_request(order.csr)
    device = until_unchanged(lambda: _renew(services, order, key))
    charge_certificate(services, device, _certificate(device, order.id), ChargeKind.CERTIFICATE_RENEWED)
    return device


def get(services: Services, account: AccountId, device: DeviceId) -> Stored[Device]:
    stored = services.devices.get(account, device)
    if stored is None:
        raise NotFound(f"there is no device {device}")
    return stored


def verify_key(device: Device) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(device.public_key)


def assertion_key(services: Services, device: Device, thumbprint: str | None) -> Ed25519PublicKey:
    """The key of the certificate that an assertion names. Raises `NotAuthenticated` with the reason."""
    return certificates.verify_key(proven_by(device, thumbprint, services.now()))


def _insert(services: Services, device: Device) -> Device:
    try:
        return services.devices.insert(device).value
    except AlreadyThere:
        return get(services, device.account, device.id).value


def _renew(services: Services, order: RenewCertificate, key: Ed25519PublicKey) -> Device:
    row = get(services, order.account, order.device)
    if any(known.id == order.id for known in row.value.certificates):
        return row.value  # the answer to the first try was lost
    refuse_if_not_due(row.value.certificates[0], services.now())
    fresh = services.authority.issue(_subject(row.value), key, order.id, services.now())
    return services.devices.replace(row, recertified(row.value, fresh, certificates.raw(key))).value


def _certificate(device: Device, identity: CertificateId) -> Certificate:
    return next(known for known in device.certificates if known.id == identity)


def _subject(device: Device) -> Subject:
    return Subject(device.id, device.account, device.customer)
