"""Put Blob, Get Blob and its properties, with the refusals of a create-only SAS."""

import base64
import hashlib
import re
from dataclasses import dataclass

from tests.agent.stand_in import Reply, Request, StandIn


@dataclass(frozen=True, slots=True)
class Blobs:
    state: StandIn
    request: Request

    def answer(self) -> Reply:
        container, _, name = self.request.path.removeprefix("/blobs/").partition("/")
        kept = self.state.packs if container.startswith("d-") else self.state.meta
        sas = self.request.query
        if sas.get("sig") != [f"secret{self.state.sas}"]:
            return _storage(403, "AuthenticationFailed")
        needed = "c" if self.request.method == "PUT" else "r"
        if needed not in sas["sp"][0]:
            return _storage(403, "AuthorizationPermissionMismatch")
        if self.request.method == "PUT":
            return self.put(kept, name, self.request.body)
        return _storage(404, "BlobNotFound") if name not in kept else self.get(kept[name])

    def put(self, kept: dict[str, bytes], name: str, body: bytes) -> Reply:
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        if self.request.headers["Content-MD5"] != md5 or self.request.headers["x-ms-blob-type"] != "BlockBlob":
            return _storage(400, "Md5Mismatch")
        if name in kept:
            return _storage(403, "UnauthorizedBlobOverwrite")
        kept[name] = body
        return Reply(201, b"")

    def get(self, blob: bytes) -> Reply:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.request.headers.get("x-ms-range", ""))
        if wanted is None:
            return Reply(200, b"" if self.request.method == "HEAD" else blob, {"Content-Length": str(len(blob))})
        first, last = int(wanted[1]), int(wanted[2])
        return Reply(206, blob[first : last + 1]) if first < len(blob) else _storage(416, "InvalidRange")


def _storage(status: int, code: str) -> Reply:
    return Reply(status, b"", {"x-ms-error-code": code})
