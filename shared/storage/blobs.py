# pyright: reportUnknownMemberType=false
"""The objects of the vaults, as the service sees them: names, sizes and the clear refs."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import batched, islice

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, PackName, SessionId
from shared.format import names

MAX_BATCH = 256
"""Azure's limit of a batch of deletions."""


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

    def all_in(self, container: str) -> Iterable[tuple[str, int]]:
        """Names and sizes in bytes of everything there is."""
        for blob in self.client.get_container_client(container).list_blobs():
            yield blob.name, blob.size

    def pack_parts(self, account: AccountId, pack: PackName) -> Iterator[bytes]:
        """A pack's bytes in parts; none if it is not there."""
        blob = self.client.get_blob_client(names.packs_container(account), str(pack))
        try:
            yield from blob.download_blob(max_concurrency=1).chunks()
        except ResourceNotFoundError:
            return

    def delete_packs(self, account: AccountId, packs: Iterable[PackName | str]) -> None:
        """What is gone already is no fault."""
        self._delete(names.packs_container(account), (str(pack) for pack in packs))

    def delete_meta(self, account: AccountId, objects: Iterable[str]) -> None:
        self._delete(names.meta_container(account), objects)

    def _delete(self, container: str, objects: Iterable[str]) -> None:
        client = self.client.get_container_client(container)
        for batch in batched(objects, MAX_BATCH, strict=False):
            # Whoever may create may also take blob snapshots, and with one of these a blob cannot be deleted alone.
            for answer in client.delete_blobs(*batch, delete_snapshots="include", raise_on_any_failure=False):
                if answer.status_code not in (HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND):
                    raise HttpResponseError(message=f"{container}: a deletion was answered {answer.status_code}")

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
