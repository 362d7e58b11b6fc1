"""Devices of an account, and the key slots only their owners can open."""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.domain.errors import HortError, Malformed, NotFound
from shared.domain.ids import AccountId, DeviceId
from shared.domain.tenancy import Account, Device, Slot
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed, Stored

PUBLIC_KEY_BYTES = 32
_SLOT_NAME = re.compile(r"^(recovery|passphrase|device-[0-9a-z]{26})$")


class PreconditionFailed(HortError):
    """`If-Match` or `If-None-Match` asked for something else than what is there."""


@dataclass(frozen=True, slots=True)
class RegisterDevice:
    id: DeviceId
    account: Account
    name: str
    platform: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class PutSlot:
    account: AccountId
    name: str
    sealed: bytes
    replaces: str | None
    """The ETag of the slot it takes the place of; `None`: there must be none yet."""


def register(services: Services, order: RegisterDevice) -> Device:
    """Idempotent by the identity."""
    if len(order.public_key) != PUBLIC_KEY_BYTES:
        raise Malformed("public_key", f"an Ed25519 public key has 32 bytes, not {len(order.public_key)}")
    device = Device(
        id=order.id,
        account=order.account.id,
        customer=order.account.customer,
        name=order.name,
        platform=order.platform,
        public_key=order.public_key,
        registered_at=services.now(),
    )
    try:
        return services.devices.insert(device).value
    except AlreadyThere:
        return get(services, order.account.id, order.id).value


def get(services: Services, account: AccountId, device: DeviceId) -> Stored[Device]:
    stored = services.devices.get(account, device)
    if stored is None:
        raise NotFound(f"there is no device {device}")
    return stored


def verify_key(device: Device) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(device.public_key)


def is_slot_name(text: str) -> bool:
    return _SLOT_NAME.fullmatch(text) is not None


def put_slot(services: Services, order: PutSlot) -> Stored[Slot]:
    """Never overwrites blindly: two devices that race to make the first master key must not both win."""
    slot = Slot(order.account, order.name, order.sealed, services.now())
    try:
        if order.replaces is None:
            return services.slots.insert(slot)
        return services.slots.replace(_named(services, order), slot)
    except (AlreadyThere, Changed) as refused:
        there = services.slots.get(order.account, order.name)
        if there is not None and there.value.sealed == order.sealed:
            return there  # the answer to the first try was lost
        raise _precondition(order, refused) from None


def _precondition(order: PutSlot, refused: AlreadyThere | Changed) -> PreconditionFailed:
    if isinstance(refused, AlreadyThere):
        return PreconditionFailed(f"there is a slot {order.name} already")
    return PreconditionFailed(f"the slot {order.name} is not the one that If-Match names")


def _named(services: Services, order: PutSlot) -> Stored[Slot]:
    """The slot that `order` replaces. Compared here too: storage takes `*` for any slot, and fails on other texts."""
    there = services.slots.get(order.account, order.name)
    if there is None or there.etag != order.replaces:
        raise Changed(f"the slot {order.name} has another ETag")
    return there
