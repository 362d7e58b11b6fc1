# pyright: reportUnknownMemberType=false
"""Signs leave to use an account's containers, and takes it back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from azure.storage.blob import (
    AccessPolicy,
    BlobServiceClient,
    ContainerSasPermissions,
    UserDelegationKey,
    generate_container_sas,
)

from shared.domain.grants import LIFE, PERMISSIONS, Purpose, policy_of
from shared.domain.tenancy import Account
from shared.format import names


@dataclass(frozen=True, slots=True)
class SignedGrant:
    packs_url: str
    meta_url: str
    expires_at: datetime


class Signer(Protocol):
    def grant(self, account: Account, purpose: Purpose, expires_at: datetime) -> SignedGrant:
        """Good while the account's generation of grants is the one that storage takes."""
        ...

    def enforce(self, account: Account, now: datetime) -> datetime:
        """Storage takes grants of the account's generation and no others; while it is locked, none. Safe to repeat.

        Returns when the last of the others is dead.
        """
        ...


@dataclass(frozen=True, slots=True)
class AccountKeySigner:
    """Signs with the storage account's key. A grant hangs on a stored access policy, and dies at once with it."""

    client: BlobServiceClient
    account_key: str

    def grant(self, account: Account, purpose: Purpose, expires_at: datetime) -> SignedGrant:
        # The policy says what, the grant says until when: storage refuses a grant that says what its policy says.
        key = {"account_key": self.account_key, "policy_id": policy_of(purpose, account.grants)}
        containers = names.packs_container(account.id), names.meta_container(account.id)
        packs, meta = (_url(self.client, container, expires_at, key) for container in containers)
        return SignedGrant(packs, meta, expires_at)

    def enforce(self, account: Account, now: datetime) -> datetime:
        for container, policies in _policies(account).items():
            self.client.get_container_client(container).set_container_access_policy(policies)
        return now


@dataclass(slots=True)
class DelegationSigner:
    """Signs with a key that Entra ID gives to our identity. Azure knows no stored policies for such grants, so what
    was given is dead only when its short life is over."""

    client: BlobServiceClient
    clock: Callable[[], datetime]
    _key: UserDelegationKey | None = field(default=None, repr=False)
    _until: datetime | None = None

    def grant(self, account: Account, purpose: Purpose, expires_at: datetime) -> SignedGrant:
        permissions, key = PERMISSIONS[purpose], {"user_delegation_key": self._delegated()}
        packs, meta = (
            _url(
                self.client, container, expires_at, {**key, "permission": ContainerSasPermissions.from_string(letters)}
            )
            for container, letters in (
                (names.packs_container(account.id), permissions.packs),
                (names.meta_container(account.id), permissions.meta),
            )
        )
        return SignedGrant(packs, meta, expires_at)

    def enforce(self, account: Account, now: datetime) -> datetime:
        """Nothing stands between such a grant and the storage but its end."""
        del account
        return now + LIFE

    def _delegated(self) -> UserDelegationKey:
        """Fetched when the one at hand would not outlast a grant."""
        now = self.clock()
        if self._key is None or self._until is None or now + LIFE > self._until:
            self._until = now + DELEGATION
            self._key = self.client.get_user_delegation_key(now - SKEW, self._until)
        return self._key


DELEGATION = timedelta(hours=6)
SKEW = timedelta(minutes=5)
"""Azure's clocks and ours differ."""


def _policies(account: Account) -> dict[str, dict[str, AccessPolicy]]:
    """By container; Azure allows five a container, we need two."""
    given = () if account.locked_at is not None else tuple(Purpose)
    named = {policy_of(purpose, account.grants): PERMISSIONS[purpose] for purpose in given}
    return {
        names.packs_container(account.id): {name: AccessPolicy(letters.packs) for name, letters in named.items()},
        names.meta_container(account.id): {name: AccessPolicy(letters.meta) for name, letters in named.items()},
    }


def _url(client: BlobServiceClient, container: str, expires_at: datetime, how: dict[str, Any]) -> str:
    assert client.account_name, "a blob endpoint names its account"
    url = str(client.get_container_client(container).url)
    # Plain HTTP is for this machine's Azurite: elsewhere a grant that went over it would be everybody's.
    protocol = None if url.startswith(_LOOPBACK) else "https"
    return (
        f"{url}?{generate_container_sas(client.account_name, container, expiry=expires_at, protocol=protocol, **how)}"
    )


_LOOPBACK = ("http://127.0.0.1:", "http://localhost:")
