"""Signs leave to use an account's containers."""

from dataclasses import dataclass
from datetime import datetime

from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from shared.domain.grants import PERMISSIONS, Purpose
from shared.domain.ids import AccountId
from shared.format import names


@dataclass(frozen=True, slots=True)
class SignedGrant:
    packs_url: str
    meta_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the storage account's key."""

    client: BlobServiceClient
    account_key: str

    def grant(self, account: AccountId, purpose: Purpose, expires_at: datetime) -> SignedGrant:
        permissions = PERMISSIONS[purpose]
        return SignedGrant(
            packs_url=self._url(names.packs_container(account), permissions.packs, expires_at),
            meta_url=self._url(names.meta_container(account), permissions.meta, expires_at),
            expires_at=expires_at,
        )

    def _url(self, container: str, permissions: str, expires_at: datetime) -> str:
        assert self.client.account_name, "a blob endpoint names its account"
        sas = generate_container_sas(
            self.client.account_name,
            container,
            account_key=self.account_key,
            permission=ContainerSasPermissions.from_string(permissions),
            expiry=expires_at,
        )
        return f"{self.client.get_container_client(container).url}?{sas}"
