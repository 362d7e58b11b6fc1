"""A service and a Blob Storage of a few lines, that misbehave on order."""

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.domain.ids import AccountId, DeviceId, RestoreId, SessionId

PASSWORD = "correct horse"
LOGIN = "anna@example.com"


class How(Enum):
    """What happens to one request."""

    RESET_BEFORE = "the connection breaks before anything is done"
    RESET_AFTER = "all is done, then the connection breaks"
    CUT_SHORT = "all is done, and half of the answer comes"
    SLOW = "all is done, and the answer comes too late"
    ANSWER = "only `status` comes back"


@dataclass(frozen=True, slots=True)
class Fault:
    """Hits the next request whose `METHOD /path` holds `where`."""

    where: str
    how: How
    status: int = 503
    retry_after: str | None = None
    code: str = "ServerBusy"


@dataclass
class StandIn:
    """What the two keep. `faults` are used up in order."""

    account: AccountId = field(default_factory=lambda: AccountId.make(datetime.now(UTC), b"account..."))
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[str] = field(default_factory=list[str])
    devices: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    slots: dict[str, str] = field(default_factory=dict[str, str])
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    snapshots: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    packs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    meta: dict[str, bytes] = field(default_factory=dict[str, bytes])
    refuse_commit_for: list[str] = field(default_factory=list[str])
    renewals: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    once: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    used_jti: set[str] = field(default_factory=set[str])
    tokens: set[str] = field(default_factory=set[str])
    lease: timedelta = timedelta(hours=1)
    sas: int = 1
    """The number in every valid SAS; raising it makes those handed out before expire."""
    slow_seconds: float = 1.0
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def count(self, where: str) -> int:
        return sum(where in request for request in self.requests)

    def expire_sas(self) -> None:
        self.sas += 1

    def grant(self, permissions: str) -> dict[str, Any]:
        def url(container: str) -> str:
            return f"{self.url}/blobs/{container}-{self.account}?sp={permissions}&sig=secret{self.sas}"

        until = datetime.now(UTC) + self.lease
        return {"packs_url": url("d"), "meta_url": url("m"), "expires_at": until.isoformat()}

    def take_fault(self, request: str) -> Fault | None:
        with self.lock:
            self.requests.append(request)
            found = next((fault for fault in self.faults if fault.where in request), None)
            if found:
                self.faults.remove(found)
            return found


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])


@contextmanager
def running(stand_in: StandIn, port: int = 0) -> Generator[StandIn]:
    class Handler(_Handler):
        state = stand_in

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StandIn

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class calls it so
        """Tests have nothing to tell."""

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fault = self.state.take_fault(f"{self.command} {self.path.partition('?')[0]}")
        if fault and fault.how is How.ANSWER:
            self.send(_fault_reply(fault))
            return
        if fault and fault.how is How.RESET_BEFORE:
            self.reset()
            return
        with self.state.lock:
            reply = self.answer(body)
        match fault:
            case Fault(how=How.RESET_AFTER):
                self.reset()
            case Fault(how=How.CUT_SHORT):
                self.send(reply, cut=True)
            case Fault(how=How.SLOW):
                time.sleep(self.state.slow_seconds)
                self.send(reply)
            case _:
                self.send(reply)

    do_GET = do_PUT = do_POST = do_HEAD = handle_any  # noqa: N815 -- the base class calls them so

    def answer(self, body: bytes) -> Reply:
        path = urlsplit(self.path).path
        if path.startswith("/blobs/"):
            return _Blobs(self.state, self).answer(path.removeprefix("/blobs/"), body)
        return _Api(self.state, self).answer(path.removeprefix("/api/v1"), body)

    def send(self, reply: Reply, *, cut: bool = False) -> None:
        try:
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
            if cut:
                self.wfile.flush()
                self.reset()
        except OSError:
            self.close_connection = True

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


def _fault_reply(fault: Fault) -> Reply:
    headers = {"x-ms-error-code": fault.code}
    if fault.retry_after:
        headers["Retry-After"] = fault.retry_after
    return Reply(fault.status, _problem(fault.status, "fault", "on order").body, headers)


def _problem(status: int, slug: str, detail: str, **more: Any) -> Reply:
    body = {"type": f"urn:hort:problem:{slug}", "title": slug, "status": status, "detail": detail, **more}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class _Blobs:
    """Put Blob, Get Blob and its properties, with the refusals of a create-only SAS."""

    state: StandIn
    http: _Handler

    def answer(self, path: str, body: bytes) -> Reply:
        container, _, name = path.partition("/")
        kept = self.state.packs if container.startswith("d-") else self.state.meta
        sas = parse_qs(urlsplit(self.http.path).query)
        if sas.get("sig") != [f"secret{self.state.sas}"]:
            return _storage(403, "AuthenticationFailed")
        needed = "c" if self.http.command == "PUT" else "r"
        if needed not in sas["sp"][0]:
            return _storage(403, "AuthorizationPermissionMismatch")
        if self.http.command == "PUT":
            return self.put(kept, name, body)
        return _storage(404, "BlobNotFound") if name not in kept else self.get(kept[name])

    def put(self, kept: dict[str, bytes], name: str, body: bytes) -> Reply:
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        if self.http.headers["Content-MD5"] != md5 or self.http.headers["x-ms-blob-type"] != "BlockBlob":
            return _storage(400, "Md5Mismatch")
        if name in kept:
            return _storage(403, "UnauthorizedBlobOverwrite")
        kept[name] = body
        return Reply(201, b"")

    def get(self, blob: bytes) -> Reply:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.http.headers.get("x-ms-range", ""))
        if wanted is None:
            return Reply(200, b"" if self.http.command == "HEAD" else blob, {"Content-Length": str(len(blob))})
        first, last = int(wanted[1]), int(wanted[2])
        return Reply(206, blob[first : last + 1]) if first < len(blob) else _storage(416, "InvalidRange")


def _storage(status: int, code: str) -> Reply:
    return Reply(status, b"", {"x-ms-error-code": code})


@dataclass(frozen=True, slots=True)
class _Api:
    """The few endpoints the agent calls."""

    state: StandIn
    http: _Handler

    def answer(self, path: str, body: bytes) -> Reply:
        if path == "/token":
            return self.token(parse_qs(body.decode()))
        if self.http.headers.get("Authorization", "").removeprefix("Bearer ") not in self.state.tokens:
            return _problem(401, "not-authenticated", "who is this?")
        key = self.http.headers.get("Idempotency-Key")
        if key and key in self.state.once:
            return _json(201, self.state.once[key])
        reply = self.route(path, json.loads(body or b"{}"))
        if key and reply.status == 201:
            self.state.once[key] = json.loads(reply.body)
        return reply

    def token(self, form: dict[str, list[str]]) -> Reply:
        if form["grant_type"] == ["password"]:
            known = form["username"] == [LOGIN] and form["password"] == [PASSWORD]
        else:
            known = self.is_device(form["client_assertion"][0])
        if not known:
            return _problem(401, "not-authenticated", "user name or password is wrong")
        token = f"token-{len(self.state.tokens)}"
        self.state.tokens.add(token)
        return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": 900})

    def is_device(self, assertion: str) -> bool:
        subject = jwt.decode(assertion, options={"verify_signature": False})["sub"]
        device = self.state.devices[subject.partition(".")[2]]
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(device["public_key"]))
        claims = jwt.decode(assertion, key, ["EdDSA"], audience=f"{self.state.url}/api/v1/token", issuer=subject)
        fresh = claims["jti"] not in self.state.used_jti and claims["exp"] - claims["iat"] <= 300
        self.state.used_jti.add(claims["jti"])
        return fresh

    def route(self, path: str, body: dict[str, Any]) -> Reply:
        if path == "/accounts":
            account = {"id": self.state.account, "customer": self.state.account, "name": "A", "created_at": _now()}
            return _json(200, {"items": [account]})
        own = f"/accounts/{self.state.account}/"
        if not path.startswith(own):
            return _problem(404, "not-found", "there is no such account")
        match path.removeprefix(own).split("/"):
            case ["devices"]:
                return self.register(body)
            case ["devices", device]:
                return _json(200, self.state.devices[device])
            case ["devices", _, "seeding"]:
                return _problem(404, "not-found", "there is no first backup")
            case ["slots"]:
                return _json(200, {"slots": [self.slot(name) for name in self.state.slots]})
            case ["slots", name]:
                return self.put_slot(name, body)
            case ["snapshots"]:
                return self.page_of_snapshots()
            case ["restores"]:
                return _json(201, self.restore(RestoreId.make(datetime.now(UTC), b"restore..."), body["snapshot"]))
            case ["restores", restore]:
                return _json(200, self.restore(RestoreId(restore), None))
            case ["sessions"]:
                session = SessionId.make(datetime.now(UTC), len(self.state.sessions).to_bytes(10))
                device = next(iter(self.state.devices))
                self.state.sessions[session] = {"id": session, "device": device, "state": "open", "opened_at": _now()}
                return _json(201, self.opened(session))
            case ["sessions", session]:
                return _json(200, self.opened(session)) if session in self.state.sessions else _gone()
            case ["sessions", session, *rest]:
                return self.in_session(session, rest, body) if session in self.state.sessions else _gone()
            case _:
                return _problem(404, "not-found", path)

    def in_session(self, session: str, rest: list[str], body: dict[str, Any]) -> Reply:
        packs = {name: pack for name, pack in sorted(self.state.packs.items()) if name.startswith(session)}
        closed = self.state.sessions[session]["state"] in {"fenced", "abandoned"}
        match rest:
            case ["renew"] if closed or self.state.sessions[session]["state"] == "committed":
                return _problem(409, "session-closed", "the session is not open any more")
            case ["renew"]:
                self.state.renewals.append(body)
                return _json(200, self.opened(session))
            case ["packs"]:
                after = parse_qs(urlsplit(self.http.path).query).get("after", [""])[0]
                left = [name for name in packs if name > after]
                items = [{"pack": name, "size_bytes": len(packs[name])} for name in left[:2]]
                return _json(200, {"items": items, "next": left[1] if len(left) > 2 else None})
            case ["packs", pack]:
                found = packs.get(f"{session}/{pack}")
                item = {"pack": f"{session}/{pack}", "size_bytes": len(found or b"")}
                return _gone() if found is None else _json(200, item)
            case ["commit"] if closed:
                return _problem(409, "session-closed", "the lease ran out")
            case ["commit"] if self.state.refuse_commit_for:
                return _problem(409, "packs-missing", "some packs are gone", packs=self.state.refuse_commit_for)
            case ["commit"]:
                return self.commit(session, body)
            case ["abandon"]:
                self.state.sessions[session]["state"] = "abandoned"
                return _json(200, self.opened(session))
            case _:
                return _gone()

    def register(self, body: dict[str, Any]) -> Reply:
        device = DeviceId.make(datetime.now(UTC), len(self.state.devices).to_bytes(10))
        found = {"id": device, "account": self.state.account, "registered_at": _now(), **body}
        self.state.devices[device] = found
        return _json(201, found)

    def put_slot(self, name: str, body: dict[str, Any]) -> Reply:
        if name in self.state.slots and self.http.headers.get("If-None-Match") == "*":
            return _problem(412, "precondition-failed", "there is such a slot")
        self.state.slots[name] = body["sealed"]
        return _json(200, self.slot(name))

    def slot(self, name: str) -> dict[str, Any]:
        return {"name": name, "sealed": self.state.slots[name], "changed_at": _now(), "etag": "1"}

    def opened(self, session: str) -> dict[str, Any]:
        until = (datetime.now(UTC) + self.state.lease).isoformat()
        more = {"account": self.state.account, "lease_until": until, "renewable_until": until}
        live = [
            {
                "session": each["id"],
                "segments": sum(name.startswith(f"index/{each['id']}/") for name in self.state.meta),
            }
            for each in self.state.snapshots
        ]
        return {
            **self.state.sessions[session],
            **more,
            "grant": self.state.grant("cr"),
            "live_indexes": live,
            "do_not_reuse": [],
        }

    def segments(self, session: str) -> int:
        return sum(name.startswith(f"index/{session}/") for name in self.state.meta)

    def commit(self, session: str, body: dict[str, Any]) -> Reply:
        known = [each for each in self.state.snapshots if each["id"] == session]
        if not known:
            refs = hashlib.sha256(self.state.meta.get(f"refs/{session}", b"")).hexdigest()
            if refs != body["refs_sha256"]:
                return _problem(409, "objects-missing", "the refs are not there")
            counts = {"packs": 0, "stored_bytes": 0, "new_packs": 0, "new_stored_bytes": 0}
            head = {"id": session, "account": self.state.account, "device": self.state.sessions[session]["device"]}
            known = [{**head, **counts, "committed_at": _now(), "statistics": body["statistics"]}]
            self.state.snapshots += known
            self.state.sessions[session]["state"] = "committed"
        return _json(200, known[0])

    def restore(self, restore: RestoreId, snapshot: str | None) -> dict[str, Any]:
        head = {"id": restore, "account": self.state.account, "snapshot": snapshot, "opened_at": _now()}
        return {**head, "grant": self.state.grant("r")}

    def page_of_snapshots(self) -> Reply:
        after = parse_qs(urlsplit(self.http.path).query).get("after", [""])[0]
        left = [each for each in self.state.snapshots if each["id"] > after]
        return _json(200, {"items": left[:2], "next": left[1]["id"] if len(left) > 2 else None})


def _gone() -> Reply:
    return _problem(404, "not-found", "there is no such thing")


def _now() -> str:
    return datetime.now(UTC).isoformat()
