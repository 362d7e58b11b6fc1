"""What a service and a Blob Storage of a few lines keep, and how they are told to misbehave."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from shared.domain.ids import AccountId

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
    password: str = PASSWORD
    must_change_password: bool = False
    codes: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Enrolment codes, and the request that used each up."""
    certified_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When certificates begin."""
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[str] = field(default_factory=list[str])
    devices: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    slots: dict[str, str] = field(default_factory=dict[str, str])
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    snapshots: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    policies: dict[str, Any] = field(default_factory=lambda: {"policy": {}, "sets": {}})
    """The retention that is in force."""
    drills: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
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
    clock_ahead: timedelta = timedelta()
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


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


def problem(status: int, slug: str, detail: str, **more: Any) -> Reply:
    body = {"type": f"urn:hort:problem:{slug}", "title": slug, "status": status, "detail": detail, **more}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})


def as_json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
