"""The few endpoints of the service that the agent calls."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from agent.certificates import ends_at, thumbprint
from shared.domain.ids import DeviceId, RestoreId, SessionId
from shared.identity.certificates import raw, read_request
from tests.agent import stand_in_retention as retention
from tests.agent.stand_in import LOGIN, Reply, Request, StandIn, as_json, problem
from tests.certificates import certified

IN_OUR_TIME: Options = {"verify_exp": False, "verify_iat": False}


@dataclass(frozen=True, slots=True)
class Api:
    state: StandIn
    request: Request

    def answer(self) -> Reply:
        path = self.request.path.removeprefix("/api/v1")
        if path == "/token":
            return self.token(parse_qs(self.request.body.decode()))
        if path == "/enrolments":
            return self.enrol(json.loads(self.request.body))
        if self.request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.state.tokens:
            return problem(401, "not-authenticated", "who is this?")
        if path == "/password":
            return self.change_password(json.loads(self.request.body))
        if self.state.must_change_password:
            return problem(403, "password-change-required", "change your first password, then log in again")
        key = self.request.headers.get("Idempotency-Key")
        if key and key in self.state.once:
            return as_json(201, self.state.once[key])
        reply = self.route(path, json.loads(self.request.body or b"{}"))
        if key and reply.status == 201:
            self.state.once[key] = json.loads(reply.body)
        return reply

    def token(self, form: dict[str, list[str]]) -> Reply:
        if form["grant_type"] == ["password"]:
            known = form["username"] == [LOGIN] and form["password"] == [self.state.password]
        else:
            known = self.is_device(form["client_assertion"][0])
        if not known:
            return problem(401, "not-authenticated", "user name or password is wrong")
        token = f"token-{secrets.token_hex(8)}"
        self.state.tokens.add(token)
        return as_json(200, {"access_token": token, "token_type": "Bearer", "expires_in": 900})

    def change_password(self, body: dict[str, Any]) -> Reply:
        if body["old_password"] != self.state.password:
            return problem(400, "invalid-request", "old_password: is wrong", field="old_password")
        if len(body["new_password"]) < 12:
            return problem(400, "invalid-request", "new_password: has at least 12 characters", field="new_password")
        self.state.password, self.state.must_change_password = body["new_password"], False
        self.state.tokens.clear()
        who = {"id": "0" * 26, "customer": None, "name": "Anna Berg", "login": LOGIN, "role": "admin"}
        return as_json(200, {**who, "created_at": _now(), "state": "active", "must_change_password": False})

    def is_device(self, assertion: str) -> bool:
        subject = jwt.decode(assertion, options={"verify_signature": False})["sub"]
        device = self.state.devices[subject.partition(".")[2]]
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(device["public_key"]))
        if jwt.get_unverified_header(assertion).get("x5t#S256") != thumbprint(device["certificate"]):
            return False
        claims = jwt.decode(
            assertion, key, ["EdDSA"], audience=f"{self.state.url}/api/v1/token", issuer=subject, options=IN_OUR_TIME
        )
        now = (datetime.now(UTC) + self.state.clock_ahead).timestamp()
        in_time = claims["iat"] - 60 <= now <= claims["exp"] + 60
        fresh = in_time and claims["jti"] not in self.state.used_jti and claims["exp"] - claims["iat"] <= 300
        self.state.used_jti.add(claims["jti"])
        return fresh

    def route(self, path: str, body: dict[str, Any]) -> Reply:
        if path == "/accounts":
            account = {"id": self.state.account, "customer": self.state.account, "name": "A", "created_at": _now()}
            return as_json(200, {"items": [account]})
        if path.startswith(f"/customers/{self.state.account}/accounts/{self.state.account}/"):
            return retention.holds(self.state, self.request.method, path, body)
        own = f"/accounts/{self.state.account}/"
        if not path.startswith(own):
            return problem(404, "not-found", "there is no such account")
        match path.removeprefix(own).split("/"):
            case ["devices"] if self.request.method == "GET":
                return as_json(200, {"items": list(self.state.devices.values())})
            case ["devices", device, "revoke"]:
                self.state.devices[device] |= {"state": "revoked", "revoked_at": _now()}
                return as_json(200, self.state.devices[device])
            case ["devices"]:
                return self.register(body)
            case ["devices", device, "certificates"]:
                return self.renew(device, body)
            case ["devices", device]:
                return as_json(200, self.state.devices[device])
            case ["devices", _, "seeding"]:
                return problem(404, "not-found", "there is no first backup")
            case ["devices", device, "kit-test"]:
                return self.record_kit_test(device, body)
            case ["slots"]:
                return as_json(200, {"slots": [self.slot(name) for name in self.state.slots]})
            case ["slots", name] if self.request.method == "DELETE":
                self.state.slots.pop(name, None)
                return as_json(200, {"name": name})
            case ["slots", name]:
                return self.put_slot(name, body)
            case ["snapshots"]:
                return self.page_of_snapshots()
            case ["snapshots" | "retention", *_] as parts:
                return retention.answer(self.state, self.request, parts, body)
            case ["drills"]:
                self.state.drills.append(body)
                told = {"id": RestoreId.make(datetime.now(UTC), b"a drill..."), "reported_at": _now()}
                device = next(iter(self.state.devices))
                return as_json(201, {**body, **told, "account": self.state.account, "device": device})
            case ["restores"]:
                return as_json(201, self.restore(RestoreId.make(datetime.now(UTC), b"restore..."), body["snapshot"]))
            case ["restores", restore]:
                return as_json(200, self.restore(RestoreId(restore), None))
            case ["sessions"]:
                session = SessionId.make(datetime.now(UTC), len(self.state.sessions).to_bytes(10))
                device = next(iter(self.state.devices))
                self.state.sessions[session] = {"id": session, "device": device, "state": "open", "opened_at": _now()}
                return as_json(201, self.opened(session))
            case ["sessions", session]:
                return as_json(200, self.opened(session)) if session in self.state.sessions else _gone()
            case ["sessions", session, *rest]:
                return self.in_session(session, rest, body) if session in self.state.sessions else _gone()
            case _:
                return problem(404, "not-found", path)

    def in_session(self, session: str, rest: list[str], body: dict[str, Any]) -> Reply:
        packs = {name: pack for name, pack in sorted(self.state.packs.items()) if name.startswith(session)}
        closed = self.state.sessions[session]["state"] in {"fenced", "abandoned"}
        match rest:
            case ["renew"] if closed or self.state.sessions[session]["state"] == "committed":
                return problem(409, "session-closed", "the session is not open any more")
            case ["renew"]:
                self.state.renewals.append(body)
                return as_json(200, self.opened(session))
            case ["packs"]:
                after = self.request.query.get("after", [""])[0]
                left = [name for name in packs if name > after]
                items = [{"pack": name, "size_bytes": len(packs[name])} for name in left[:2]]
                return as_json(200, {"items": items, "next": left[1] if len(left) > 2 else None})
            case ["packs", pack]:
                found = packs.get(f"{session}/{pack}")
                item = {"pack": f"{session}/{pack}", "size_bytes": len(found or b"")}
                return _gone() if found is None else as_json(200, item)
            case ["commit"] if closed:
                return problem(409, "session-closed", "the lease ran out")
            case ["commit"] if self.state.refuse_commit_for:
                return problem(409, "packs-missing", "some packs are gone", packs=self.state.refuse_commit_for)
            case ["commit"]:
                return self.commit(session, body)
            case ["abandon"]:
                self.state.sessions[session]["state"] = "abandoned"
                return as_json(200, self.opened(session))
            case _:
                return _gone()

    def register(self, body: dict[str, Any]) -> Reply:
        device = DeviceId.make(datetime.now(UTC), len(self.state.devices).to_bytes(10))
        self.state.devices[device] = described(device, self.state, body)
        return as_json(201, self.state.devices[device])

    def enrol(self, body: dict[str, Any]) -> Reply:
        code, request = body.pop("code"), body["csr"]
        if self.state.codes.get(code, request) not in {None, request} or code not in self.state.codes:
            return problem(401, "not-authenticated", "this enrolment code was used before")
        if self.state.codes[code] is None:
            self.state.codes[code] = request
            return self.register(body)
        return as_json(201, next(d for d in self.state.devices.values() if d["csr"] == request))

    def renew(self, device: str, body: dict[str, Any]) -> Reply:
        self.state.devices[device] |= {"certificate": certified(body["csr"], datetime.now(UTC))}
        return as_json(201, self.state.devices[device])

    def put_slot(self, name: str, body: dict[str, Any]) -> Reply:
        there = self.slot(name)["etag"] if name in self.state.slots else None
        if self.state.slots.get(name) != body["sealed"] and self.request.headers.get("If-Match") != there:
            return problem(412, "precondition-failed", "the slot is another one")
        self.state.slots[name] = body["sealed"]
        return as_json(200, self.slot(name))

    def slot(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "sealed": self.state.slots[name],
            "changed_at": _now(),
            "etag": _etag(self.state.slots[name]),
        }

    def record_kit_test(self, device: str, body: dict[str, Any]) -> Reply:
        if body["recovery_etag"] != self.slot("recovery")["etag"]:
            return problem(412, "precondition-failed", "the kit was renewed meanwhile")
        self.state.devices[device]["protected_at"] = _now()
        return as_json(200, {"device": device, "protected_at": self.state.devices[device]["protected_at"]})

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
                return problem(409, "objects-missing", "the refs are not there")
            counts = {"packs": 0, "stored_bytes": 0, "new_packs": 0, "new_stored_bytes": 0}
            head = {"id": session, "account": self.state.account, "device": self.state.sessions[session]["device"]}
            said = {"statistics": body["statistics"], "backup_set": body["backup_set"]}
            known = [{**head, **counts, **said, "committed_at": _now()}]
            self.state.snapshots += known
            self.state.sessions[session]["state"] = "committed"
        return as_json(200, known[0])

    def restore(self, restore: RestoreId, snapshot: str | None) -> dict[str, Any]:
        head = {"id": restore, "account": self.state.account, "snapshot": snapshot, "opened_at": _now()}
        return {**head, "grant": self.state.grant("r")}

    def page_of_snapshots(self) -> Reply:
        after = self.request.query.get("after", [""])[0]
        left = [each for each in self.state.snapshots if each["id"] > after]
        return as_json(200, {"items": left[:2], "next": left[1]["id"] if len(left) > 2 else None})


def described(device: str, state: StandIn, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the service says of a device with this request."""
    certificate = certified(body["csr"], state.certified_at)
    key = base64.b64encode(raw(read_request(body["csr"]))).decode()
    known = {"id": device, "account": state.account, "registered_at": _now(), "state": "active", **body}
    until = ends_at(certificate).isoformat()
    return {**known, "public_key": key, "certificate": certificate, "certificate_until": until}


def _etag(sealed: str) -> str:
    return hashlib.sha256(sealed.encode()).hexdigest()


def _gone() -> Reply:
    return problem(404, "not-found", "there is no such thing")


def _now() -> str:
    return datetime.now(UTC).isoformat()
