"""Key slots as they are stored: sealed by the customer, and once more by us."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.ids import AccountId
from shared.storage.mapping import Mapper

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """AES-256-GCM over the customer's slot, under a data key that a version of the account's key wraps."""

    account: AccountId
    name: str
    tag: str
    """SHA-256 of the customer's slot, in hex: what its ETag is made of, and stays through a rotation of our key."""
    key_version: str
    wrapped_key: bytes
    nonce: bytes
    body: bytes
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class AccountKey:
    """Which version of the account's key wraps now."""

    account: AccountId
    version: str
    since: datetime


SLOTS = Mapper("slots", KeptSlot, key=lambda slot: (slot.account, slot.name))
ACCOUNT_KEYS = Mapper("accountkeys", AccountKey, key=lambda key: (key.account, CURRENT))
