"""A whole backup by hand: raw Put Blob under a SAS, and refs that the device signs."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import urllib3

from shared.domain.ids import AccountId, DeviceId, IndexName, PackName, SessionId
from shared.format.refs import IndexRef, PackRef, Refs, encode
from tests.service.client import Answer, Client
from tests.service.people import Device

_POOL = urllib3.PoolManager(retries=False)
BLOCK_BLOB = {"x-ms-blob-type": "BlockBlob"}


def blob_url(container_url: str, name: str) -> str:
    """The URL of an object, below a container's URL that carries a SAS."""
    base, _, sas = container_url.partition("?")
    return f"{base}/{name}?{sas}"


def storage(method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    reply = _POOL.request(method, url, body=data, headers=headers or {}, timeout=30)
    return Answer(reply.status, reply.headers, reply.data)


def put_blob(container_url: str, name: str, data: bytes) -> Answer:
    return storage("PUT", blob_url(container_url, name), data, BLOCK_BLOB)


def get_blob(container_url: str, name: str) -> Answer:
    return storage("GET", blob_url(container_url, name))


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup session in the hands of a test, which decides what to upload and what to leave out."""

    device: Device
    client: Client
    opened: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.opened["id"]

    @property
    def path(self) -> str:
        return f"{self.device.sessions}/{self.id}"

    @property
    def packs_url(self) -> str:
        return self.opened["grant"]["packs_url"]

    @property
    def meta_url(self) -> str:
        return self.opened["grant"]["meta_url"]

    def pack(self, data: bytes) -> PackRef:
        """What the refs say of a pack with these bytes."""
        return PackRef(PackName(SessionId(self.id), hashlib.sha256(data).hexdigest()), len(data))

    def put_pack(self, data: bytes) -> PackRef:
        ref = self.pack(data)
        assert put_blob(self.packs_url, str(ref.name), data).status == 201
        return ref

    def put_meta(self) -> Refs:
        """One index segment and the head, sealed as far as the service can tell; the refs that name them."""
        index, head = secrets.token_bytes(64), secrets.token_bytes(128)
        name = IndexName(SessionId(self.id), 0)
        assert put_blob(self.meta_url, str(name), index).status == 201
        assert put_blob(self.meta_url, f"head/{self.id}", head).status == 201
        return Refs(
            account=AccountId(self.device.account),
            session=SessionId(self.id),
            device=DeviceId(self.device.id),
            head_sha256=hashlib.sha256(head).hexdigest(),
            head_size_bytes=len(head),
            indexes=(IndexRef(name, len(index)),),
            packs=(),
        )

    def put_refs(self, refs: Refs) -> str:
        """Signs and uploads the refs; their SHA-256."""
        text = encode(refs, self.device.key.sign)
        assert put_blob(self.meta_url, f"refs/{self.id}", text).status == 201
        return hashlib.sha256(text).hexdigest()

    def prepare(self, needed: Sequence[PackRef]) -> str:
        """Index, head and refs of a snapshot that needs these packs; the refs' SHA-256."""
        return self.put_refs(replace(self.put_meta(), packs=tuple(sorted(needed))))

    def commit(self, refs_sha256: str, **statistics: float) -> Answer:
        return self.client.post(f"{self.path}/commit", {"refs_sha256": refs_sha256, "statistics": statistics})


def begin(device: Device, client: Client | None = None) -> Backup:
    mine = client or device.log_in()
    opened = mine.post(device.sessions, {}).made()
    for url in (opened["grant"]["packs_url"], opened["grant"]["meta_url"]):
        mine.secrets.add(signature_of(url))
    return Backup(device, mine, opened)


def back_up(device: Device, *packs: bytes, client: Client | None = None) -> Backup:
    """A committed snapshot of these packs, one of random bytes if none is given."""
    backup = begin(device, client)
    backup.commit(backup.prepare([backup.put_pack(data) for data in packs or (secrets.token_bytes(300),)])).made(200)
    return backup


def signature_of(url: str) -> str:
    """The signature in a SAS, as it stands in the URL: whoever reads it in a log can use it."""
    return next(part for part in url.partition("?")[2].split("&") if part.startswith("sig=")).removeprefix("sig=")
