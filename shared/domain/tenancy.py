"""Who is there: customers, their accounts, users and devices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.certificates import Certificate
from shared.domain.ids import AccountId, CustomerId, DeviceId, IncidentId, UserId


class Role(StrEnum):
    """What a user may do; the first two belong to a customer, the others to the provider."""

    ADMIN = "admin"
    MEMBER = "member"
    OPERATOR = "operator"
    BILLING = "billing"
    AUDITOR = "auditor"


CUSTOMER_ROLES = frozenset({Role.ADMIN, Role.MEMBER})


class UserState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """May not sign in; nothing of the user is forgotten."""


@dataclass(frozen=True, slots=True)
class Customer:
    id: CustomerId
    name: str
    created_at: datetime
    service_began_at: datetime | None = None
    """When the first credentials were delivered (N11)."""


@dataclass(frozen=True, slots=True)
class Account:
    """A vault: one key, one retention policy; a customer has one or more."""

    id: AccountId
    customer: CustomerId
    name: str
    created_at: datetime
    grants: int = 0
    """The generation of the grants that storage takes: it grows when all that were given are taken back."""
    locked_at: datetime | None = None
    """Since when a breach is suspected: no device comes in, nothing is granted (N16)."""
    incident: IncidentId | None = None
    """Why it is locked."""
    codes_since: datetime | None = None
    """Enrolment codes made before this open nothing: somebody else may have made them."""


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    customer: CustomerId | None
    """`None`: one of the provider's own."""
    name: str
    login: str
    role: Role
    password_hash: str
    created_at: datetime
    state: UserState = UserState.ACTIVE
    epoch: int = 0
    """Grows with whatever ends the user's sessions: tokens carry it, and older ones open nothing."""
    must_change_password: bool = False
    """The password is one that somebody else has seen."""
    password_changed_at: datetime | None = None
    """When the user chose one last; first passwords do not count."""
    delivered_at: datetime | None = None
    """When the first password had reached its user (N11)."""


class DeviceState(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"
    """For ever: lost, stolen or replaced."""


@dataclass(frozen=True, slots=True)
class Device:
    id: DeviceId
    account: AccountId
    customer: CustomerId
    name: str
    platform: str
    public_key: bytes
    """Ed25519, 32 bytes."""
    certificates: tuple[Certificate, ...]
    """Newest first."""
    registered_at: datetime
    last_snapshot_at: datetime | None = None
    protected_at: datetime | None = None
    """When its recovery kit was last proved: without that, nobody knows whether the backups can be opened."""
    state: DeviceState = DeviceState.ACTIVE
    epoch: int = 0
    """A token of an earlier epoch is dead."""
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserCaller:
    """A user who proved it: the token said so."""

    id: UserId
    customer: CustomerId | None
    role: Role
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A user who has shown a first password: may change it, and nothing else (N11)."""

    id: UserId
    customer: CustomerId | None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class DeviceCaller:
    id: DeviceId
    account: AccountId
    customer: CustomerId
    epoch: int = 0


type Caller = UserCaller | DeviceCaller
type Bearer = Caller | Newcomer
"""Whoever a token speaks for."""
