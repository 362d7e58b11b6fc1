"""Who is there: customers, their accounts, users and devices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.ids import AccountId, CustomerId, DeviceId, UserId


class Role(StrEnum):
    """What a user may do; the first two belong to a customer, the third to the provider."""

    ADMIN = "admin"
    MEMBER = "member"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Customer:
    id: CustomerId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A vault: one key, one retention policy; a customer has one or more."""

    id: AccountId
    customer: CustomerId
    name: str
    created_at: datetime


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


@dataclass(frozen=True, slots=True)
class Device:
    id: DeviceId
    account: AccountId
    customer: CustomerId
    name: str
    platform: str
    public_key: bytes
    """Ed25519, 32 bytes."""
    registered_at: datetime
    last_snapshot_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A sealed copy of the account's master key; only the customer's side can open it."""

    account: AccountId
    name: str
    sealed: bytes
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class UserCaller:
    """A user who proved it: the token said so."""

    id: UserId
    customer: CustomerId | None
    role: Role


@dataclass(frozen=True, slots=True)
class DeviceCaller:
    id: DeviceId
    account: AccountId
    customer: CustomerId


type Caller = UserCaller | DeviceCaller
