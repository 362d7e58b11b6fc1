"""How a device joins an account: as the first, which makes the keys, or later, which takes the recovery kit."""

import base64
import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.account_keys import AccountKeys, KeyOrder, forget_keys, make_keys, try_kit
from agent.certificates import request_for, thumbprint
from agent.config import Home, Registration
from agent.credentials import DeviceKey
from agent.device_slot import put_device_slot
from agent.passphrases import PASSPHRASE
from agent.replies import Refused
from agent.service import Service, enrol
from agent.transport import Transport
from shared.api.tenancy import Account, Device, Enrol, PutSlot, RegisterDevice
from shared.domain.errors import Conflict, HortError, Malformed
from shared.domain.ids import AccountId
from shared.format.keys import VaultKeys
from shared.format.slots import open_passphrase, open_recovery

RECOVERY = "recovery"
"""The slot's name at the service."""


class NothingToRecover(HortError):
    def __init__(self, account: AccountId) -> None:
        super().__init__(f"account {account} has no key yet, so there is nothing to recover: use `hort register`")


class NoPassphrase(HortError):
    def __init__(self, account: AccountId) -> None:
        super().__init__(f"account {account} has no passphrase: use the recovery kit")


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody has to open the account's key with, and the slot that it fits."""

    slot: str
    open: Callable[[bytes, AccountId], bytes]


@dataclass(frozen=True, slots=True)
class Applicant:
    """Where to join, and as what."""

    service_url: str
    account: AccountId
    device_name: str
    device: Device | None = None
    """What an enrolment code has made of it already."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A device that came in by a code: it speaks for itself from now on."""

    who: Applicant
    key: DeviceKey


@dataclass(frozen=True, slots=True)
class Enrolled:
    registration: Registration
    fingerprint: str


def choose_account(accounts: list[Account], wanted: AccountId | None) -> AccountId:
    """The one the user has or names. Raises `Malformed` when there is a choice to make."""
    if wanted is not None:
        if wanted not in {account.id for account in accounts}:
            raise Malformed("account", f"you have no account {wanted}")
        return wanted
    if len(accounts) != 1:
        known = ", ".join(f"{account.id} ({account.name})" for account in accounts) or "none"
        raise Malformed("account", f"choose one with --account; you have: {known}")
    return accounts[0].id


def by_recovery_key(key: bytes) -> Opening:
    return Opening(RECOVERY, lambda slot, account: open_recovery(slot, key, account))


def by_passphrase(passphrase: str) -> Opening:
    return Opening(PASSPHRASE, lambda slot, account: open_passphrase(slot, passphrase, account))


def recovery_slot(service: Service, account: AccountId) -> bytes | None:
    """The account's sealed master key, if any device has made it yet."""
    found = [slot for slot in service.slots(account) if slot.name == RECOVERY]
    return base64.b64decode(found[0].sealed) if found else None


def join_first(who: Applicant, service: Service, home: Home, order: KeyOrder) -> Enrolled:
    """Makes the account's keys and kit, and registers the device. After a crash the next try takes up what is there.

    Raises `Conflict` when another device was faster.
    """
    keys = make_keys(order, home)
    device = _register(who, service, home)
    _put_slot(service, order, keys, home)
    try_kit(order, recovery_slot(service, who.account), keys.master_key)
    home.write_slot(keys.sealed)
    put_device_slot(service, who.account, device.id, keys.master_key, home)
    # Registration last: it says that all the rest is there.
    return _finish(who, home, device, keys.fingerprint)


def join_with_key(who: Applicant, service: Service, home: Home, opening: Opening) -> Enrolled:
    """Opens the account's key and registers the device. What opens it is tried first: a wrong one leaves no trace."""
    slots = {slot.name: base64.b64decode(slot.sealed) for slot in service.slots(who.account)}
    if RECOVERY not in slots:
        raise NothingToRecover(who.account)
    if opening.slot not in slots:
        raise NoPassphrase(who.account)
    master_key = opening.open(slots[opening.slot], who.account)
    device = _register(who, service, home)
    home.write_master_key(master_key)
    home.write_slot(slots[RECOVERY])
    put_device_slot(service, who.account, device.id, master_key, home)
    return _finish(who, home, device, VaultKeys.derive(master_key, who.account).fingerprint)


def enrol_with_code(service_url: str, name: str, code: str, transport: Transport, home: Home) -> Newcomer:
    """Registers this device by its code alone. After a crash the next try with the same code gets the same device."""
    key = device_key(home)
    device = enrol(service_url, Enrol(name=name, platform=_platform(), csr=request_for(key), code=code), transport)
    who = Applicant(service_url, device.account, device.name, device)
    return Newcomer(who, DeviceKey(device.account, device.id, key, thumbprint(device.certificate)))


def _register(who: Applicant, service: Service, home: Home) -> Device:
    if who.device is not None:
        return who.device
    order = RegisterDevice(name=who.device_name, platform=_platform(), csr=request_for(device_key(home)))
    # The idempotency key comes from the key pair, so that a try after a crash is given the same device.
    once = hashlib.sha256(order.model_dump_json().encode()).hexdigest()
    return service.register_device(who.account, order, once)


def device_key(home: Home) -> Ed25519PrivateKey:
    """The device's key pair, made and written down the first time."""
    key = home.device_key()
    if key is None:
        key = Ed25519PrivateKey.generate()
        home.write_device_key(key)
    return key


def _put_slot(service: Service, order: KeyOrder, keys: AccountKeys, home: Home) -> None:
    slot = PutSlot(sealed=base64.b64encode(keys.sealed).decode())
    try:
        service.create_slot(order.account, RECOVERY, slot)
    except Refused as no:
        if no.slug != "precondition-failed":
            raise
        if recovery_slot(service, order.account) != keys.sealed:  # else it is ours, and only the answer was lost
            forget_keys(order, home)
            raise Conflict("another device made the account's key at the same time: run again with its kit") from None


def _finish(who: Applicant, home: Home, device: Device, fingerprint: str) -> Enrolled:
    home.write_certificate(device.certificate)
    registration = Registration(
        service=who.service_url,
        account=who.account,
        device=device.id,
        name=who.device_name,
        fingerprint=fingerprint,
    )
    home.write_registration(registration)
    return Enrolled(registration, fingerprint)


def _platform() -> str:
    return f"{platform.system().lower()} {platform.machine()}".strip() or "unknown"
