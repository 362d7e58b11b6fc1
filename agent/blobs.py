"""Azure Blob Storage over plain HTTP, under a SAS: half the CPU of the SDK (DESIGN §9)."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from urllib.parse import quote, urlsplit, urlunsplit

from agent.grants import Grants
from agent.transport import Answer, Call, Transport
from agent.vault import VaultObjectMissing
from shared.api.backups import Grant
from shared.domain.errors import HortError
from shared.format.errors import Damaged

_API_VERSION = {"x-ms-version": "2021-12-02"}
_PERHAPS_THERE = frozenset({"BlobAlreadyExists", "UnauthorizedBlobOverwrite", "AuthorizationPermissionMismatch"})
"""What a create-only SAS is told about a name that is taken, by real storage and by the emulator."""


class BlobRefused(HortError):
    """Storage said no, for `code`."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"storage refused {name}: {code}")
        self.code = code


class Put(Enum):
    CREATED = "created"
    PERHAPS_THERE = "perhaps there"
    """Refused as one refuses what exists already: an earlier try may have arrived and only its answer was lost."""


class Blobs:
    """One container; `choose` picks its URL from a grant. Raises `Unreachable` and `BlobRefused`."""

    def __init__(self, transport: Transport, grants: Grants, choose: Callable[[Grant], str]) -> None:
        self._transport = transport
        self._grants = grants
        self._choose = choose

    def put(self, name: str, body: Sequence[bytes | memoryview]) -> Put:
        """Put Blob, create only. Storage checks the MD5, so bytes that changed on the way are sent again."""
        headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": _md5(body), "If-None-Match": "*"}
        answer = self._send("PUT", name, headers, body)
        if answer.status == 201:
            return Put.CREATED
        if _code(answer) in _PERHAPS_THERE:
            return Put.PERHAPS_THERE
        raise BlobRefused(name, _code(answer))

    def get(self, name: str) -> bytes:
        return _found(name, self._send("GET", name, {}, ())).body

    def get_range(self, name: str, offset: int, length_bytes: int) -> bytes:
        """Exactly these bytes. Raises `Damaged` when the blob is shorter."""
        if length_bytes == 0:
            return b""
        wanted = {"x-ms-range": f"bytes={offset}-{offset + length_bytes - 1}"}
        answer = self._send("GET", name, wanted, ())
        if answer.status == 416 or len(_found(name, answer).body) != length_bytes:
            raise Damaged(name, f"it has no {length_bytes} bytes at {offset}")
        return answer.body

    def size_bytes(self, name: str) -> int:
        return int(_found(name, self._send("HEAD", name, {}, ())).headers["Content-Length"])

    def _send(self, method: str, name: str, headers: Mapping[str, str], body: Sequence[bytes | memoryview]) -> Answer:
        def under(grant: Grant) -> Answer:
            call = Call(method, _blob_url(self._choose(grant), name), {**_API_VERSION, **headers}, body)
            return self._transport.send(call, _changed_on_the_way)

        grant = self._grants.current
        answer = under(grant)
        if answer.status == 403 and _code(answer) not in _PERHAPS_THERE:
            return under(self._grants.renewed(grant))
        return answer


def _found(name: str, answer: Answer) -> Answer:
    if answer.status == 404:
        raise VaultObjectMissing(name)
    if answer.status >= 300:
        raise BlobRefused(name, _code(answer))
    return answer


def _changed_on_the_way(answer: Answer) -> bool:
    return answer.status == 400 and _code(answer) == "Md5Mismatch"


def _code(answer: Answer) -> str:
    return answer.headers.get("x-ms-error-code", f"status {answer.status}")


def _md5(body: Sequence[bytes | memoryview]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for part in body:
        digest.update(part)
    return base64.b64encode(digest.digest()).decode()


def _blob_url(container_url: str, name: str) -> str:
    parts = urlsplit(container_url)
    return urlunsplit(parts._replace(path=f"{parts.path}/{quote(name)}"))
