"""The accounts' keys in Azure Key Vault: the private halves never leave it."""

# pyright: reportUnknownMemberType=false
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import KeyClient, KeyOperation
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

from shared.domain.ids import AccountId
from shared.keys.account_keys import KEY_BITS, KeyGone, KeysUnavailable, Wrapped

_CACHED_KEYS = 4096
_OPERATIONS: list[str | KeyOperation] = [KeyOperation.wrap_key, KeyOperation.unwrap_key]
_CONFLICT, _THROTTLED, _SERVER_ERROR = 409, 429, 500


def key_client(url: str, credential: TokenCredential, **options: Any) -> KeyClient:
    """Three retries, 0.4 to 1.6 s apart or as `Retry-After` says: they end before whoever waits for us gives up."""
    return KeyClient(url, credential, retry_total=3, retry_backoff_factor=0.4, **options)


class VaultKeys:
    """One Key Vault key an account. Public keys are immutable a version, so what is cached is right for ever."""

    def __init__(self, client: KeyClient) -> None:
        self._client = client
        self._key = lru_cache(_CACHED_KEYS)(self._open)

    def create(self, account: AccountId) -> str:
        with _meaning(account):
            try:
                return _version(self._client.get_key(_name(account)).properties.version)
            except ResourceNotFoundError:
                made = self._client.create_rsa_key(_name(account), size=KEY_BITS, key_operations=_OPERATIONS)
                return _version(made.properties.version)

    def rotate(self, account: AccountId) -> str:
        with _meaning(account):
            return _version(self._client.rotate_key(_name(account)).properties.version)

    def wrap(self, account: AccountId, version: str, data_key: bytes) -> Wrapped:
        with _meaning(account):
            wrapped = self._key(account, version).wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key)
            return Wrapped(version, wrapped.encrypted_key)

    def unwrap(self, account: AccountId, wrapped: Wrapped) -> bytes:
        with _meaning(account):
            return self._key(account, wrapped.version).unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.body).key

    def delete(self, account: AccountId, now: datetime) -> datetime:
        with _meaning(account):
            with suppress(ResourceNotFoundError):  # deleted before, as the next line finds out
                self._client.begin_delete_key(_name(account)).wait()
            return self._client.get_deleted_key(_name(account)).scheduled_purge_date or now

    def recover(self, account: AccountId) -> None:
        with _meaning(account):
            self._client.begin_recover_deleted_key(_name(account)).wait()

    def purge(self, account: AccountId) -> None:
        with _meaning(account), suppress(ResourceNotFoundError):
            self._client.purge_deleted_key(_name(account))

    def _open(self, account: AccountId, version: str) -> CryptographyClient:
        return self._client.get_cryptography_client(_name(account), key_version=version)


@contextmanager
def _meaning(account: AccountId) -> Generator[None]:
    """What the vault's refusals mean to us; those that only a fault of ours can cause go through as they are."""
    try:
        yield
    except ResourceNotFoundError:
        raise KeyGone(account, "is not there") from None
    except HttpResponseError as refusal:
        if refusal.status_code == _CONFLICT:
            raise KeyGone(account, "is deleted") from None
        if refusal.status_code is None or refusal.status_code == _THROTTLED or refusal.status_code >= _SERVER_ERROR:
            raise KeysUnavailable("the key vault does not answer; try again") from refusal
        raise
    except AzureError as fault:
        raise KeysUnavailable("the key vault cannot be reached; try again") from fault


def _name(account: AccountId) -> str:
    return f"account-{account}"


def _version(version: str | None) -> str:
    assert version, "a key that the vault shows has a version"
    return version
