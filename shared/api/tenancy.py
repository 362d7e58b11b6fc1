"""What a customer has: accounts, devices and the key slots only its own devices can open."""

from typing import Annotated

from pydantic import StringConstraints

from shared.api.base import Base64, Instant, Name, Reply, Request, Tagged
from shared.domain.ids import AccountId, CustomerId, DeviceId


class CreateCustomer(Request):
    name: Name


class Customer(Reply):
    id: CustomerId
    name: str
    created_at: Instant


class CreateAccount(Request):
    name: Name


class Account(Reply):
    id: AccountId
    customer: CustomerId
    name: str
    created_at: Instant


class RegisterDevice(Request):
    name: Name
    platform: Name
    """Such as `linux x86_64`."""
    public_key: Base64
    """The device's Ed25519 public key, 32 bytes: checks its assertions and its signatures on refs."""


class Device(Reply):
    id: DeviceId
    account: AccountId
    name: str
    platform: str
    public_key: Base64
    registered_at: Instant
    last_snapshot_at: Instant | None = None


SlotName = Annotated[str, StringConstraints(pattern=r"^(recovery|passphrase|device-[0-9a-z]{26})$")]


class PutSlot(Request):
    """A sealed copy of the account's master key: opaque bytes to the service, at most 4 KiB."""

    sealed: Annotated[Base64, StringConstraints(min_length=4, max_length=5464)]


class Slot(Tagged):
    name: SlotName
    sealed: Base64
    changed_at: Instant


class Slots(Reply):
    slots: list[Slot]
