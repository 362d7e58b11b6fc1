"""The life of a device: active until it is revoked, and its certificates one after the other (G8, N16)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.certificates import Certificate
from shared.domain.errors import Conflict, NotAuthenticated
from shared.domain.tenancy import Device, DeviceState

TRANSITIONS: Mapping[DeviceState, frozenset[DeviceState]] = {
    DeviceState.ACTIVE: frozenset({DeviceState.REVOKED}),
    DeviceState.REVOKED: frozenset(),
}
KEPT_CERTIFICATES = 2
"""The newest, and the one before: a device that did not hear of its new certificate still has the old one."""


class DeviceRevoked(Conflict):
    """The device is out for ever; in its place a new one is registered."""


def revoked(device: Device, now: datetime) -> Device:
    """Its tokens die with the epoch they were issued in."""
    _must_be_able(device, DeviceState.REVOKED)
    return replace(device, state=DeviceState.REVOKED, epoch=device.epoch + 1, revoked_at=now)


def logged_out(device: Device) -> Device:
    """No token of before is good any more; the device's key still gets new ones."""
    return replace(device, epoch=device.epoch + 1)


def recertified(device: Device, certificate: Certificate, public_key: bytes) -> Device:
    """With its new certificate first."""
    if device.state is not DeviceState.ACTIVE:
        raise DeviceRevoked(f"device {device.id} is {device.state}")
    kept = (certificate, *device.certificates)[:KEPT_CERTIFICATES]
    return replace(device, certificates=kept, public_key=public_key)


def proven_by(device: Device, thumbprint: object, now: datetime) -> Certificate:
    """The device's certificate that an assertion names. Raises `NotAuthenticated` with the reason."""
    if device.state is not DeviceState.ACTIVE:
        raise NotAuthenticated(f"this device is {device.state}")
    found = next((c for c in device.certificates if c.thumbprint == thumbprint), None)
    if found is None:
        raise NotAuthenticated("the client assertion's `x5t#S256` is not a certificate of this device")
    if not found.not_before <= now < found.not_after:
        raise NotAuthenticated(f"the device's certificate is good from {found.not_before} to {found.not_after}")
    return found


def _must_be_able(device: Device, to: DeviceState) -> None:
    if to not in TRANSITIONS[device.state]:
        raise DeviceRevoked(f"device {device.id} is {device.state}")
