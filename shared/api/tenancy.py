"""What a customer has: accounts, devices and the key slots only its own devices can open."""

from typing import Annotated

from pydantic import StringConstraints

from shared.api.base import Base64, Count, Instant, Name, Reply, Request, Tagged
from shared.domain.enrolment import CodeState
from shared.domain.ids import AccountId, CodeId, CustomerId, DeviceId, IncidentId, UserId
from shared.domain.tenancy import DeviceState


class CreateCustomer(Request):
    name: Name


class Customer(Reply):
    id: CustomerId
    name: str
    created_at: Instant
    service_began_at: Instant | None = None
    """When the first credentials were delivered (N11)."""


class CreateAccount(Request):
    name: Name


class Account(Reply):
    id: AccountId
    customer: CustomerId
    name: str
    created_at: Instant
    locked_at: Instant | None = None
    """Since when a breach is suspected."""


class LockAccount(Request):
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    """What is suspected, for whoever looks into it."""


class AccountLock(Reply):
    account: AccountId
    incident: IncidentId
    locked_at: Instant
    grants_end_at: Instant
    """When the last leave to read or write that was given out is dead."""


Pem = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x20-\x7e\r\n]+$")]


class RegisterDevice(Request):
    name: Name
    platform: Name
    """Such as `linux x86_64`."""
    csr: Pem
    """A certification request (RFC 2986) for the device's Ed25519 key, signed with it; no more of it is heeded."""


class Enrol(RegisterDevice):
    """`POST /enrolments`: the code takes the place of a token."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class EnrolmentCode(Reply):
    """For one device, to come into the account without a password."""

    id: CodeId
    code: str
    """Shown this once and kept nowhere; a repeated request shows another, and the first is good no more."""
    account: AccountId
    expires_at: Instant


class KnownCode(Reply):
    """An enrolment code as it is listed: never the code itself."""

    id: CodeId
    account: AccountId
    made_by: UserId
    expires_at: Instant
    state: CodeState
    device: DeviceId | None = None
    """Who came in with it."""


class RenewCertificate(Request):
    csr: Pem
    """For the device's key, or for a new one."""


class Device(Reply):
    id: DeviceId
    account: AccountId
    name: str
    platform: str
    public_key: Base64
    """Ed25519, 32 bytes."""
    state: DeviceState
    certificate: str
    """The newest, in PEM: its SHA-256 is the `x5t#S256` of the device's assertions."""
    certificate_until: Instant
    registered_at: Instant
    revoked_at: Instant | None = None
    last_snapshot_at: Instant | None = None
    protected_at: Instant | None = None
    """When its recovery kit was last proved; until then it does not count as protected."""


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


class SlotRemoved(Reply):
    name: SlotName


class KitTested(Request):
    """`POST .../kit-test`: the device has opened the account's key with the recovery kit, and with this slot."""

    recovery_etag: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Protection(Reply):
    device: DeviceId
    protected_at: Instant


class VaultKey(Reply):
    """Which version of the provider's key wraps an account's slots."""

    account: AccountId
    version: str
    since: Instant
    rewrapped: Count
    """How many slots took this version in this call."""
