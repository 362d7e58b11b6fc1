"""A catalogue as a blob of the service's own: a line of JSON with the lengths, and then the numbers themselves."""

import hashlib
import json
from array import array
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.domain.catalogue import PACK_ID_BYTES, Catalogue, Shelf, Use
from shared.domain.ids import AccountId, SessionId

VERSION = 1
FORGET_AFTER = timedelta(days=2)
"""Who wrote a blob last and has not pointed to it by now never will."""
_SIZE_BYTES = 8


def encode(catalogue: Catalogue) -> bytes:
    title = {
        "version": VERSION,
        "shelves": {session: len(shelf.sizes) for session, shelf in catalogue.shelves.items()},
        "uses": {
            snapshot: {session: _length(bits) for session, bits in use.items()}
            for snapshot, use in catalogue.uses.items()
        },
    }
    return b"".join([json.dumps(title, separators=(",", ":")).encode(), b"\n", *_parts(catalogue)])


def decode(data: bytes) -> Catalogue:
    """Raises `ValueError` for what is no catalogue of this version."""
    head, _, body = data.partition(b"\n")
    title = json.loads(head)
    if title["version"] != VERSION:
        raise ValueError(f"catalogue of version {title['version']}")
    rest = _Rest(body)
    shelves = {SessionId(session): _shelf(rest, count) for session, count in title["shelves"].items()}
    uses = {SessionId(snapshot): _use(rest, lengths) for snapshot, lengths in title["uses"].items()}
    return Catalogue(shelves, uses)


@dataclass(frozen=True, slots=True)
class Catalogues:
    container: ContainerClient

    def read(self, account: AccountId, name: str | None) -> Catalogue | None:
        """`None` if it is not there, not as it was written, or of another version: then it is made anew."""
        if name is None:
            return None
        try:
            body = self.container.download_blob(f"{account}/{name}").readall()
            return decode(body) if _name(body) == name else None
        except (ResourceNotFoundError, ValueError):
            return None

    def write(self, account: AccountId, catalogue: Catalogue) -> str:
        """Keeps it under the hash of what it holds, and tells that name."""
        body = encode(catalogue)
        # Overwritten by the same bytes, a blob is young again: `forget_old` must not take it for one nobody wants.
        self.container.upload_blob(f"{account}/{_name(body)}", body, overwrite=True)
        return _name(body)

    def forget_old(self, account: AccountId, keep: Set[str]) -> None:
        """Deletes what no state speaks of any more, by the storage's own clock."""
        blobs = list(self.container.list_blobs(name_starts_with=f"{account}/"))
        latest = max((blob.last_modified for blob in blobs), default=None)
        for blob in blobs:
            if latest and latest - blob.last_modified > FORGET_AFTER and blob.name.partition("/")[2] not in keep:
                with suppress(ResourceModifiedError):  # written again since it was listed
                    self.container.delete_blob(blob.name, etag=blob.etag, match_condition=MatchConditions.IfNotModified)


@dataclass(slots=True)
class _Rest:
    """What is still to be read."""

    body: bytes
    at: int = 0

    def take(self, length_bytes: int) -> bytes:
        part = self.body[self.at : self.at + length_bytes]
        if len(part) != length_bytes:
            raise ValueError("a catalogue that was cut off")
        self.at += length_bytes
        return part


def _name(body: bytes) -> str:
    return f"catalogue-{hashlib.sha256(body).hexdigest()}"


def _parts(catalogue: Catalogue) -> Iterator[bytes]:
    for shelf in catalogue.shelves.values():
        yield shelf.ids
        yield array("Q", shelf.sizes).tobytes()
    for use in catalogue.uses.values():
        yield from (bits.to_bytes(_length(bits), "little") for bits in use.values())


def _shelf(rest: _Rest, count: int) -> Shelf:
    ids, sizes = rest.take(count * PACK_ID_BYTES), array("Q")
    sizes.frombytes(rest.take(count * _SIZE_BYTES))
    return Shelf(ids, tuple(sizes))


def _use(rest: _Rest, lengths: dict[str, Any]) -> Use:
    return {SessionId(session): int.from_bytes(rest.take(length), "little") for session, length in lengths.items()}


def _length(bits: int) -> int:
    return (bits.bit_length() + 7) // 8
