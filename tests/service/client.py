"""A small HTTP client that believes nothing: each reply must be as the service's own document promises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.service.contract import JSON_LINES, Contract

TIMEOUT_SECONDS = 60

type Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, with the JSON in its body."""

    status: int
    headers: urllib3.HTTPHeaderDict
    data: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0]

    @property
    def json(self) -> Any:
        """Of JSON lines, a list."""
        return (
            [json.loads(line) for line in self.data.splitlines()] if self.kind == JSON_LINES else json.loads(self.data)
        )

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    def made(self, status: int = 201) -> Any:
        """The JSON of a reply that must be this one."""
        assert self.status == status, self.data
        return self.json

    def refused(self, status: int, slug: str, field: str | None = None) -> Any:
        """The problem (RFC 9457) of a reply that must be this one, with words in it for people."""
        assert (self.status, self.kind) == (status, "application/problem+json"), self.data
        problem = self.json
        assert problem["type"] == f"urn:hort:problem:{slug}", problem
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert problem.get("field") == field, problem
        return problem


@dataclass(frozen=True, slots=True)
class Secrets:
    """What no log may ever hold; the builders and the client write it down here."""

    heard: set[str] = field(default_factory=set)

    def add(self, *texts: str) -> None:
        """Short ones would be found by chance, and are none of the service's making."""
        self.heard.update(text for text in texts if len(text) >= 16)

    def leaked_into(self, text: str) -> list[str]:
        return [secret for secret in self.heard if secret in text]


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to `/api/v1` as one caller, or as nobody."""

    url: str
    contract: Contract
    secrets: Secrets
    token: str | None = None
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, maxsize=8))

    def holding(self, token: str) -> "Client":
        self.secrets.add(token)
        return replace(self, token=token)

    def get(self, path: str, **query: str | int) -> Answer:
        return self.call("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        return self.call("POST", path, body, {} if key is None else {"Idempotency-Key": key})

    def put(self, path: str, body: Any, headers: Headers) -> Answer:
        return self.call("PUT", path, body, headers)

    def ask_token(self, **form: str) -> Answer:
        return self.call("POST", "/token", urlencode(form).encode())

    def call(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> Answer:
        """Bytes go as they are, everything else but `None` as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        mine = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        reply = self.pool.request(
            method,
            f"{self.url}/api/v1{path}",
            body=data,
            headers={**mine, **(headers or {})},
            timeout=TIMEOUT_SECONDS,
            redirect=False,
        )
        answer = Answer(reply.status, reply.headers, reply.data)
        if answer.data:
            self.contract.judge(method, path, answer.status, answer.kind, answer.json)
        return answer
