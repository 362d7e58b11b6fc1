"""A Key Vault of a few lines, over HTTPS: what the SDK's pipeline meets, and how it is told to misbehave."""

# pyright: reportUnknownMemberType=false
import json
import ssl
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import trustme
from azure.core.credentials import AccessToken
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

OAEP_256 = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
TENANT = "11111111-1111-1111-1111-111111111111"
CHALLENGE = f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
RETENTION_SECONDS = 7 * 86400

type Versions = dict[str, rsa.RSAPrivateKey]


@cache
def made_once(size: int, _number: int) -> rsa.RSAPrivateKey:
    """A vault's first key, its second and so on: no two of one vault are the same, and other vaults have them again."""
    return rsa.generate_private_key(65537, size)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


def refusal(status: int, code: str, **headers: str) -> Reply:
    error = {"error": {"code": code, "message": f"{code}."}}
    return Reply(status, error, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Vault:
    """What it keeps. `faults` are used up in order: a reply, or `None` for a line that breaks."""

    url: str = ""
    keys: dict[str, Versions] = field(default_factory=dict[str, Versions])
    deleted: dict[str, Versions] = field(default_factory=dict[str, Versions])
    requests: list[str] = field(default_factory=list[str])
    faults: list[Reply | None] = field(default_factory=list[Reply | None])
    made: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def count(self, action: str) -> int:
        return sum(request.endswith(action) for request in self.requests)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        kind, name, *rest = path.strip("/").split("/")
        with self.lock:
            if kind == "deletedkeys":
                return self._in_the_bin(method, name, rest)
            if rest in (["create"], ["rotate"]):
                return self._new_version(name, rest[0], body)
            if name not in self.keys:
                return refusal(404, "KeyNotFound")
            if method == "DELETE":
                self.deleted[name] = self.keys.pop(name)
                return self._bundle(name, self.deleted[name])
            if rest[1:]:
                return self._compute(name, rest[0], rest[1], body)
            return self._bundle(name, self.keys[name], rest[0] if rest and rest[0] else None)

    def _new_version(self, name: str, action: str, body: dict[str, Any]) -> Reply:
        if name in self.deleted:
            return refusal(409, "Conflict")
        if action == "rotate" and name not in self.keys:
            return refusal(404, "KeyNotFound")
        size = body.get("key_size") or next(iter(self.keys[name].values())).key_size
        self.made += 1
        self.keys.setdefault(name, {})[uuid4().hex] = made_once(size, self.made)
        return self._bundle(name, self.keys[name])

    def _in_the_bin(self, method: str, name: str, rest: list[str]) -> Reply:
        if name not in self.deleted:
            return refusal(404, "KeyNotFound")
        if method == "DELETE":
            del self.deleted[name]
            return Reply(204)
        if rest == ["recover"]:
            self.keys[name] = self.deleted.pop(name)
            return self._bundle(name, self.keys[name])
        return self._bundle(name, self.deleted[name])

    def _compute(self, name: str, version: str, action: str, body: dict[str, Any]) -> Reply:
        if version not in self.keys[name]:
            return refusal(404, "KeyNotFound")
        if (action, body["alg"]) == ("sign", "RS256"):
            signature = self.keys[name][version].sign(_bytes(body["value"]), padding.PKCS1v15(), Prehashed(SHA256()))
            return Reply(200, {"kid": f"{self.url}/keys/{name}/{version}", "value": _text(signature)})
        if action.lower() != "unwrapkey" or body["alg"] != "RSA-OAEP-256":
            return refusal(400, "BadParameter")
        try:
            value = self.keys[name][version].decrypt(_bytes(body["value"]), OAEP_256)
        except ValueError:
            return refusal(400, "BadParameter")
        return Reply(200, {"kid": f"{self.url}/keys/{name}/{version}", "value": _text(value)})

    def _bundle(self, name: str, versions: Versions, version: str | None = None) -> Reply:
        version = version or list(versions)[-1]
        if version not in versions:
            return refusal(404, "KeyNotFound")
        public, now = versions[version].public_key().public_numbers(), int(time.time())
        jwk = {"kid": f"{self.url}/keys/{name}/{version}", "kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"]}
        times = {"enabled": True, "created": now, "updated": now, "recoverableDays": 7}
        bundle = {"key": {**jwk, "n": _number(public.n), "e": _number(public.e)}, "attributes": times}
        if name not in self.deleted:
            return Reply(200, bundle)
        gone = {"recoveryId": f"{self.url}/deletedkeys/{name}", "deletedDate": now}
        return Reply(200, {**bundle, **gone, "scheduledPurgeDate": now + RETENTION_SECONDS})


class Credential:
    """Signs in as anybody; remembers for which scopes it was asked."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("token", int(time.time()) + 3600)


@contextmanager
def running(authority: trustme.CA) -> Generator[Vault]:
    """A vault at `url`, whose certificate `authority` has signed."""
    vault = Vault()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(vault))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    vault.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(vault: Vault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.partition("?")[0]
            if "Authorization" not in self.headers:
                return self.say(refusal(401, "Unauthorized", WWW_Authenticate=CHALLENGE))
            vault.requests.append(f"{self.command} {path}")
            if vault.faults:
                return self.say(vault.faults.pop(0))
            return self.say(vault.answer(self.command, path, body))

        do_POST = do_DELETE = do_GET  # noqa: N815 -- the base class calls them so

        def say(self, reply: Reply | None) -> None:
            if reply is None:
                self.close_connection = True
                self.connection.close()
                return
            body = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
            return

    return Handler


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")
