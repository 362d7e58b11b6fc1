"""Key slots: what only the customer can open, put away so that the provider's key is needed as well (design 6)."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import HortError
from shared.domain.ids import AccountId, DeviceId
from shared.domain.tenancy import Device, DeviceCaller
from shared.keys.account_keys import Wrapped
from shared.operations import account_keys, devices
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.slots import KeptSlot
from shared.storage.tables import AlreadyThere, Changed, Stored

RECOVERY = "recovery"
PASSPHRASE = "passphrase"  # noqa: S105 -- a name

_DATA_KEY_BYTES, _NONCE_BYTES = 32, 12
_SLOT_NAME = re.compile(r"^(recovery|passphrase|device-[0-9a-z]{26})$")


class PreconditionFailed(HortError):
    """`If-Match` or `If-None-Match` asked for something else than what is there."""


@dataclass(frozen=True, slots=True)
class PutSlot:
    account: AccountId
    name: str
    sealed: bytes
    replaces: str | None
    """The ETag of the slot it takes the place of; `None`: there must be none yet."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A sealed copy of the account's master key; only the customer's side can open it."""

    name: str
    sealed: bytes
    changed_at: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class KitTested:
    """A device says that a kit opened the slot of this ETag."""

    device: DeviceCaller
    recovery_etag: str


def is_slot_name(text: str) -> bool:
    return _SLOT_NAME.fullmatch(text) is not None


def put(services: Services, order: PutSlot) -> Slot:
    """Never overwrites blindly: two devices that race to make the first master key must not both win."""
    return until_unchanged(lambda: _try_to_put(services, order))


def all_of(services: Services, account: AccountId) -> Iterator[Slot]:
    """Opened with the account's key: one unwrap a slot, so this is for joining and recovering, never for a backup."""
    for kept in services.slots.all(account):
        yield _shown(kept, _unwrapped(services, kept))


def remove_passphrase(services: Services, account: AccountId) -> None:
    """The passphrase opens nothing any more. Safe to repeat."""
    services.slots.remove(account, PASSPHRASE)


def remove_device_slot(services: Services, account: AccountId, device: DeviceId) -> None:
    """A device that was revoked finds nothing to open any more. Safe to repeat."""
    services.slots.remove(account, f"device-{device}")


def record_kit_test(services: Services, order: KitTested) -> Device:
    """From now on the device is protected. Raises `PreconditionFailed` when the kit was renewed meanwhile."""
    account = order.device.account
    there = services.slots.get(account, RECOVERY)
    if there is None or _etag(there.value.tag) != order.recovery_etag:
        raise PreconditionFailed("the kit that was tested is not the account's any more")

    def attempt() -> Device:
        device = devices.get(services, account, order.device.id)
        return services.devices.replace(device, replace(device.value, protected_at=services.now())).value

    return until_unchanged(attempt)


def _try_to_put(services: Services, order: PutSlot) -> Slot:
    """Raises `Changed` when somebody else wrote between our look and our write."""
    there = services.slots.get(order.account, order.name)
    if there is not None and there.value.tag == _tag(order.sealed):
        return _shown(there.value, order.sealed)  # the answer to the first try was lost
    if (there and _etag(there.value.tag)) != order.replaces:
        raise _precondition(order, there)
    kept = _wrapped(services, order)
    try:
        written = services.slots.insert(kept) if there is None else services.slots.replace(there, kept)
    except AlreadyThere:
        raise Changed("another slot of this name came first") from None
    return _shown(written.value, order.sealed)


def _precondition(order: PutSlot, there: Stored[KeptSlot] | None) -> PreconditionFailed:
    if there is not None and order.replaces is None:
        return PreconditionFailed(f"there is a slot {order.name} already")
    return PreconditionFailed(f"the slot {order.name} is not the one that If-Match names")


def _wrapped(services: Services, order: PutSlot) -> KeptSlot:
    """Each slot has a data key of its own, so one nonce of it is used once."""
    data_key, nonce = secrets.token_bytes(_DATA_KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
    version = account_keys.current(services, order.account).version
    wrapped = services.account_keys.wrap(order.account, version, data_key)
    return KeptSlot(
        account=order.account,
        name=order.name,
        tag=_tag(order.sealed),
        key_version=wrapped.version,
        wrapped_key=wrapped.body,
        nonce=nonce,
        body=AESGCM(data_key).encrypt(nonce, order.sealed, _bound(order.account, order.name)),
        changed_at=services.now(),
    )


def _unwrapped(services: Services, kept: KeptSlot) -> bytes:
    data_key = services.account_keys.unwrap(kept.account, Wrapped(kept.key_version, kept.wrapped_key))
    return AESGCM(data_key).decrypt(kept.nonce, kept.body, _bound(kept.account, kept.name))


def _shown(kept: KeptSlot, sealed: bytes) -> Slot:
    return Slot(kept.name, sealed, kept.changed_at, _etag(kept.tag))


def _bound(account: AccountId, name: str) -> bytes:
    return f"hort kept slot 1\n{account}\n{name}".encode()


def _tag(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()


def _etag(tag: str) -> str:
    return f'"{tag}"'
