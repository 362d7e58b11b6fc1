"""The accounts' keys as files of this machine, for development and tests: the same algorithm, no vault."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.domain.ids import AccountId
from shared.keys.account_keys import KEY_BITS, KeyGone, Wrapped

RETENTION = timedelta(days=7)
"""As the vault that we set up: how long a deletion can be taken back."""

_FIRST = "1"
_PARTS = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """`folder/<account>/<version>.json`, a private JWK each, 0600; a deleted account's folder is named `.deleted`."""

    folder: Path
    key_bits: int = KEY_BITS

    def create(self, account: AccountId) -> str:
        if self._deleted(account).exists():
            raise KeyGone(account, "is deleted")
        versions = self._versions(account)
        return versions[-1] if versions else self._make(account, _FIRST)

    def rotate(self, account: AccountId) -> str:
        with _there(account):
            return self._make(account, str(int(self._versions(account)[-1]) + 1))

    def wrap(self, account: AccountId, version: str, data_key: bytes) -> Wrapped:
        with _there(account):
            key = self._key(account, version)
            return Wrapped(version, key.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key).encrypted_key)

    def unwrap(self, account: AccountId, wrapped: Wrapped) -> bytes:
        with _there(account):
            key = self._key(account, wrapped.version)
            return key.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.body).key

    def delete(self, account: AccountId, now: datetime) -> datetime:
        if not self._deleted(account).exists():
            with _there(account):
                self._live(account).rename(self._deleted(account))
        return now + RETENTION

    def recover(self, account: AccountId) -> None:
        with _there(account):
            self._deleted(account).rename(self._live(account))

    def purge(self, account: AccountId) -> None:
        rmtree(self._deleted(account), ignore_errors=True)

    def _key(self, account: AccountId, version: str) -> CryptographyClient:
        return _parsed((self._live(account) / f"{version}.json").read_text())

    def _make(self, account: AccountId, version: str) -> str:
        self._live(account).mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._live(account) / f"{version}.json"
        draft = path.with_suffix(f".{token_hex(8)}")
        draft.touch(0o600)
        draft.write_text(json.dumps(_new_jwk(self.key_bits)))
        # By a link: of two that make a version at once the first one stays, whole, and the other's key is dropped.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return version
        finally:
            draft.unlink()
        return version

    def _versions(self, account: AccountId) -> list[str]:
        return sorted((path.stem for path in self._live(account).glob("*.json")), key=int)

    def _live(self, account: AccountId) -> Path:
        return self.folder / account

    def _deleted(self, account: AccountId) -> Path:
        return self.folder / f"{account}.deleted"


@contextmanager
def _there(account: AccountId) -> Generator[None]:
    try:
        yield
    except (FileNotFoundError, IndexError):
        raise KeyGone(account, "is not there") from None


@lru_cache(128)
def _parsed(text: str) -> CryptographyClient:
    """Cached by the file's content, for checking a private key takes its time; a file that is gone is gone."""
    numbers = {name: urlsafe_b64decode(value) for name, value in json.loads(text).items()}
    return CryptographyClient.from_jwk({"kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"], **numbers})


def _new_jwk(key_bits: int) -> dict[str, str]:
    private = rsa.generate_private_key(65537, key_bits).private_numbers()
    public = private.public_numbers
    values = (public.n, public.e, private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
    return {name: _base64(value) for name, value in zip(_PARTS, values, strict=True)}


def _base64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()
