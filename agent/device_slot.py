"""This device's own slot: the account's master key, sealed to a key pair that never leaves it."""

import base64
import os

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.config import Home
from agent.service import Service
from shared.api.tenancy import PutSlot, Slot
from shared.domain.ids import AccountId, DeviceId
from shared.format.errors import Damaged, WrongDevice
from shared.format.slots import NONCE_BYTES, open_device, seal_device


def put_device_slot(service: Service, account: AccountId, device: DeviceId, master_key: bytes, home: Home) -> None:
    """Seals the master key to this device. Safe to repeat: a slot that opens stays, one that does not is replaced."""
    key, name = exchange_key(home), f"device-{device}"
    there = slot_named(service, account, name)
    if there is None:
        service.create_slot(account, name, _sealed(master_key, key, account))
    elif not _opens(there, key, account):
        service.replace_slot(account, name, _sealed(master_key, key, account), there.etag)


def open_device_slot(service: Service, account: AccountId, device: DeviceId, key: X25519PrivateKey) -> bytes | None:
    """The master key; `None` when there is no slot of ours. Raises `WrongDevice` or `Damaged` for one that is not."""
    there = slot_named(service, account, f"device-{device}")
    return None if there is None else open_device(base64.b64decode(there.sealed), key, account)


def slot_named(service: Service, account: AccountId, name: str) -> Slot | None:
    return next((slot for slot in service.slots(account) if slot.name == name), None)


def exchange_key(home: Home) -> X25519PrivateKey:
    """The key pair that the slot is sealed to, made and written down the first time."""
    key = home.exchange_key()
    if key is None:
        key = X25519PrivateKey.generate()
        home.write_exchange_key(key)
    return key


def _sealed(master_key: bytes, key: X25519PrivateKey, account: AccountId) -> PutSlot:
    ephemeral = X25519PrivateKey.generate()
    slot = seal_device(master_key, key.public_key(), account, ephemeral, os.urandom(NONCE_BYTES))
    return PutSlot(sealed=base64.b64encode(slot).decode())


def _opens(slot: Slot, key: X25519PrivateKey, account: AccountId) -> bool:
    try:
        open_device(base64.b64decode(slot.sealed), key, account)
    except (Damaged, WrongDevice):
        return False
    return True
