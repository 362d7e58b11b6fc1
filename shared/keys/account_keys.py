"""What we ask of whoever keeps the accounts' keys: RSA-3072, and RSA-OAEP-256 to wrap with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.errors import HortError
from shared.domain.ids import AccountId

KEY_BITS = 3072


class KeyGone(HortError):
    """The account's key, or this version of it, is deleted: what it wrapped stays shut."""

    def __init__(self, account: AccountId, why: str) -> None:
        super().__init__(f"the key of account {account} {why}")


class KeysUnavailable(HortError):
    """Whoever keeps the keys does not answer, or asks for a rest."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key under one version of an account's key."""

    version: str
    body: bytes = field(repr=False)


class AccountKeys(Protocol):
    """Every call raises `KeysUnavailable`. Versions are short texts; old ones unwrap until the key is purged."""

    def create(self, account: AccountId) -> str:
        """The version to wrap with; safe to repeat. Raises `KeyGone` when the key is deleted and not yet purged."""
        ...

    def rotate(self, account: AccountId) -> str:
        """A new version to wrap with. Raises `KeyGone`."""
        ...

    def wrap(self, account: AccountId, version: str, data_key: bytes) -> Wrapped:
        """Computed here with the version's public key, which is fetched once. Raises `KeyGone`."""
        ...

    def unwrap(self, account: AccountId, wrapped: Wrapped) -> bytes:
        """The one call that needs the private key. Raises `KeyGone`."""
        ...

    def delete(self, account: AccountId, now: datetime) -> datetime:
        """No version opens anything any more; returns when the deletion becomes final by itself. Safe to repeat."""
        ...

    def recover(self, account: AccountId) -> None:
        """Takes a deletion back, as long as it is not final. Raises `KeyGone`."""
        ...

    def purge(self, account: AccountId) -> None:
        """Makes a deletion final now. Safe to repeat."""
        ...
