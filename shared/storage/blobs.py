# pyright: reportUnknownMemberType=false
"""The objects of the vaults, as the service sees them: names, sizes and the clear refs."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, PackName, SessionId
from shared.format import names


@dataclass(frozen=True, slots=True)
class VaultBlobs:
    client: BlobServiceClient

    def create_containers(self, account: AccountId) -> None:
        for container in (names.packs_container(account), names.meta_container(account)):
            try:
                self.client.create_container(container)
            except ResourceExistsError:
                continue

    def pack_sizes(self, account: AccountId, sessions: Iterable[SessionId]) -> dict[PackName, int]:
        """Sizes in bytes of all packs of these sessions: one listing a session."""
        return {pack: size for session in sessions for pack, size in self.packs_of(account, session)}

    def packs_of(self, account: AccountId, session: SessionId) -> Iterable[tuple[PackName, int]]:
        container = self.client.get_container_client(names.packs_container(account))
        for blob in container.list_blobs(name_starts_with=f"{session}/"):
            with suppress(Malformed):  # what is not named like a pack is none: a sweep will find it
                yield PackName.parse(blob.name), blob.size

    def packs_page(self, account: AccountId, session: SessionId, after: str, limit: int) -> list[tuple[PackName, int]]:
        """At most `limit` packs of a session in the order of their names, past the pack id `after`."""
        past = ((pack, size) for pack, size in self.packs_of(account, session) if pack.pack_id > after)
        return list(islice(past, limit))

    def pack_size(self, account: AccountId, pack: PackName) -> int | None:
        blob = self.client.get_blob_client(names.packs_container(account), str(pack))
        try:
            return blob.get_blob_properties().size
        except ResourceNotFoundError:
            return None

    def meta(self, account: AccountId, name: str, *, at_most_bytes: int) -> bytes | None:
        """An object of `m-<account>`, or `None`; its first `at_most_bytes` if it is larger."""
        blob = self.client.get_blob_client(names.meta_container(account), name)
        try:
            return blob.download_blob(offset=0, length=at_most_bytes).readall()
        except ResourceNotFoundError:
            return None
        except HttpResponseError as refused:
            if refused.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""  # no range fits an empty object
            raise

    def meta_sizes(self, account: AccountId, prefixes: Iterable[str]) -> Mapping[str, int]:
        container = self.client.get_container_client(names.meta_container(account))
        return {blob.name: blob.size for prefix in prefixes for blob in container.list_blobs(name_starts_with=prefix)}
