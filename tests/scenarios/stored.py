"""Looks at, and lays hands on, what the provider stores for an account."""

# pyright: reportUnknownMemberType=false
from dataclasses import dataclass

from azure.storage.blob import BlobServiceClient, ContainerClient

from demo.stack import Stack
from shared.domain.ids import AccountId, PackName, SessionId
from shared.format import names
from shared.format.refs import Refs, decode_unverified
from shared.services import Services


@dataclass(frozen=True, slots=True)
class Stored:
    stack: Stack
    account: AccountId

    def packs(self) -> dict[PackName, int]:
        return {PackName.parse(blob.name): blob.size for blob in self._packs.list_blobs()}

    def largest_pack(self, session: SessionId) -> PackName:
        own = {pack: size for pack, size in self.packs().items() if pack.session == session}
        return max(own, key=lambda pack: own[pack])

    def snapshots(self) -> list[SessionId]:
        return [snapshot.id for snapshot in Services(self.stack.settings).vaults.snapshots(self.account)]

    def refs(self, snapshot: SessionId) -> Refs:
        return decode_unverified(self._meta.download_blob(names.refs(snapshot)).readall())

    def delete_pack(self, pack: PackName) -> None:
        self._packs.delete_blob(str(pack))

    def damage_pack(self, pack: PackName, at: int) -> None:
        """Flip one bit of the byte at `at`."""
        body = bytearray(self._packs.download_blob(str(pack)).readall())
        body[at] ^= 1
        self._packs.upload_blob(str(pack), bytes(body), overwrite=True)

    @property
    def _packs(self) -> ContainerClient:
        return self._container(names.packs_container(self.account))

    @property
    def _meta(self) -> ContainerClient:
        return self._container(names.meta_container(self.account))

    def _container(self, name: str) -> ContainerClient:
        storage = self.stack.settings.storage.get_secret_value()
        return BlobServiceClient.from_connection_string(storage).get_container_client(name)
