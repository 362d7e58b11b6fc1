"""One endpoint: a function of typed values, and everything HTTP around it in one place."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

import azure.functions as func
from pydantic import ValidationError

from shared.api.base import Problem, Reply, Request, Tagged
from shared.domain.errors import Forbidden, Malformed, NotAuthenticated
from shared.domain.ids import AccountId, CustomerId, DeviceId, Id, RestoreId, SessionId
from shared.domain.tenancy import Account, Caller, DeviceCaller, UserCaller
from shared.durable.engine import Engine
from shared.durable.register import Blueprint, takes_engine
from shared.operations.tokens import caller_of
from shared.services import Services
from shared.storage.records import Reservation
from shared.storage.tables import AlreadyThere
from triggers.access import Who, account_for, admit
from triggers.problems import KeyReused, TooLarge, problem_of

MAX_BODY_BYTES = 1 << 20
MAX_PAGE = 1000

PATH_NAMES: dict[type[Id], str] = {
    CustomerId: "customer",
    AccountId: "account",
    DeviceId: "device",
    SessionId: "session",
    RestoreId: "restore",
}


class NoBody(Request):
    """The endpoint takes none."""


@dataclass(frozen=True)
class Call[B]:
    """One request: who asks, what for, and the things it takes to answer."""

    services: Services
    caller: Caller | None
    body: B
    request: func.HttpRequest
    running: Engine | None

    def id[I: Id](self, kind: type[I]) -> I:
        """The identity of this kind in the path. Raises `Malformed` with the path's own word for it."""
        name = PATH_NAMES[kind]
        try:
            return kind.parse(self.part(name))
        except Malformed as fault:
            raise Malformed(name, fault.reason) from None

    def header(self, name: str) -> str | None:
        return _header(self.request, name)

    def part(self, name: str) -> str:
        return str(self.request.route_params[name])

    @property
    def who(self) -> Caller:
        if self.caller is None:
            raise NotAuthenticated("this needs a token")
        return self.caller

    @property
    def device(self) -> DeviceCaller:
        """The calling device, in the account that the path names."""
        if not isinstance(self.who, DeviceCaller):
            raise Forbidden("this is for devices")
        self.account  # noqa: B018 -- raises NotFound when the path names another account
        return self.who

    @property
    def user(self) -> UserCaller:
        if not isinstance(self.who, UserCaller):
            raise Forbidden("this is for users")
        return self.who

    @cached_property
    def account(self) -> Account:
        """The account that the path names, if it is the caller's."""
        return account_for(self.services, self.who, self.id(AccountId))

    @property
    def engine(self) -> Engine:
        assert self.running is not None, "the endpoint is not declared with workflows=True"
        return self.running

    def new[I: Id](self, kind: type[I]) -> I:
        """A fresh identity, or the one that this Idempotency-Key got the first time."""
        fresh = self.services.new(kind)
        key = self.header("Idempotency-Key")
        return fresh if key is None else kind.parse(self._reserve(key, fresh))

    def after(self) -> str:
        """The cursor: the identity of the last item that the caller has."""
        return str(self.request.params.get("after", ""))

    def limit(self) -> int:
        text = self.request.params.get("limit", "100")
        if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE:
            raise Malformed("limit", f"must be a number from 1 to {MAX_PAGE}")
        return int(text)

    def _reserve(self, key: str, fresh: str) -> str:
        if not 8 <= len(key) <= 128:
            raise Malformed("Idempotency-Key", "must have 8 to 128 characters")
        wanted = Reservation(
            caller=self.who.id,
            key_sha256=hashlib.sha256(key.encode()).hexdigest(),
            request_sha256=self._fingerprint(),
            identity=fresh,
            made_at=self.services.now(),
        )
        # Reservation before anything is made: a repeated request finds the same identity and goes on with it.
        try:
            return self.services.reservations.insert(wanted).value.identity
        except AlreadyThere:
            first = self.services.reservations.get(wanted.caller, wanted.key_sha256)
        if first is None or first.value.request_sha256 != wanted.request_sha256:
            raise KeyReused("this Idempotency-Key came with another request before")
        return first.value.identity

    def _fingerprint(self) -> str:
        line = f"{self.request.method} {self.request.url.partition('?')[0]}\n".encode()
        return hashlib.sha256(line + self.request.get_body()).hexdigest()


@dataclass(frozen=True)
class Endpoint[B: Request, R: Reply]:
    """A row in the table of what the API can do; the OpenAPI document is made of the same rows."""

    method: str
    path: str
    """Below `/api/v1`, such as `/accounts/{account}/sessions`."""
    handler: Callable[[Call[B]], R]
    """Its docstring is the summary."""
    who: Who
    body: type[B]
    reply: type[R]
    status: HTTPStatus = HTTPStatus.OK
    creates: bool = False
    """Takes an Idempotency-Key."""
    form: bool = False
    """The body is a form, not JSON."""
    pages: bool = False
    """Takes `after` and `limit`."""
    workflows: bool = False
    """Starts workflows or speaks to them."""

    @property
    def name(self) -> str:
        return self.handler.__name__


def bind(bp: Blueprint, endpoint: Endpoint[Any, Any], services: Services) -> None:
    """Register the endpoint with Azure Functions. Tokens are ours to check, hence `ANONYMOUS`."""
    route = bp.route(route=f"v1{endpoint.path}", methods=[endpoint.method], auth_level=func.AuthLevel.ANONYMOUS)

    def plain(req: func.HttpRequest) -> func.HttpResponse:
        return answer(endpoint, services, req, None)

    def with_engine(req: func.HttpRequest, engine: Engine) -> func.HttpResponse:
        return answer(endpoint, services, req, engine)

    plain.__name__ = with_engine.__name__ = endpoint.name
    route(takes_engine(bp, with_engine) if endpoint.workflows else plain)


def answer(
    endpoint: Endpoint[Any, Any],
    services: Services,
    req: func.HttpRequest,
    engine: Engine | None,
) -> func.HttpResponse:
    try:
        caller = _caller(endpoint.who, services, req)
        body = _body(endpoint, req)
        reply = endpoint.handler(Call(services, caller, body, req, engine))
    except Exception as fault:
        return _problem(problem_of(fault, req.url.partition("?")[0]), services)
    tag = {"ETag": reply.etag} if isinstance(reply, Tagged) else {}
    return _response(reply.model_dump_json(), endpoint.status, "application/json", services, tag)


def _caller(who: Who, services: Services, req: func.HttpRequest) -> Caller | None:
    if who is Who.ANYONE:
        return None
    scheme, _, token = (_header(req, "Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("this needs a token: Authorization: Bearer ...")
    caller = caller_of(services, token)
    admit(who, caller)
    return caller


def _header(req: func.HttpRequest, name: str) -> str | None:
    return cast("Mapping[str, str]", req.headers).get(name)


def _body[B: Request](endpoint: Endpoint[B, Any], req: func.HttpRequest) -> B:
    raw = req.get_body()
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")
    try:
        if endpoint.form:
            return endpoint.body.model_validate(_form(raw))
        # Strict, as the OpenAPI document says it: "12" and true are no integers.
        return endpoint.body.model_validate_json(raw or b"{}", strict=True)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise Malformed(".".join(str(part) for part in first["loc"]) or "body", first["msg"]) from None


def _form(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode("ascii"), strict_parsing=bool(raw)))
    except ValueError:
        raise Malformed("body", "is not application/x-www-form-urlencoded") from None


def _problem(problem: Problem, services: Services) -> func.HttpResponse:
    headers: dict[str, str] = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    body = problem.model_dump_json(exclude_none=True)
    return _response(body, HTTPStatus(problem.status), "application/problem+json", services, headers)


def _response(
    body: str, status: HTTPStatus, kind: str, services: Services, headers: dict[str, str]
) -> func.HttpResponse:
    # A device whose clock is wrong learns here what time it is.
    common = {"Hort-Time": services.now().isoformat(), "Cache-Control": "no-store"}
    return func.HttpResponse(body, status_code=status, mimetype=kind, headers={**common, **headers})
