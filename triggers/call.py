"""One request, as an endpoint sees it: who asks, what for, and the things it takes to answer."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import cast

import azure.functions as func

from shared.api.base import Request
from shared.domain.errors import Forbidden, Malformed, NotAuthenticated
from shared.domain.ids import AccountId, CustomerId, DeviceId, HoldId, Id, RestoreId, SessionId, UserId
from shared.domain.tenancy import Account, Bearer, Caller, DeviceCaller, Newcomer, UserCaller
from shared.durable.engine import Engine
from shared.services import Services
from shared.storage.records import Reservation
from shared.storage.tables import AlreadyThere
from triggers.access import account_for, customer_for
from triggers.problems import KeyReused

MAX_PAGE = 1000

PATH_NAMES: dict[type[Id], str] = {
    CustomerId: "customer",
    AccountId: "account",
    DeviceId: "device",
    SessionId: "session",
    RestoreId: "restore",
    UserId: "user",
    HoldId: "hold",
}


class NoBody(Request):
    """The endpoint takes none."""


@dataclass(frozen=True)
class Call[B]:
    """One request: who asks, what for, and the things it takes to answer."""

    services: Services
    caller: Bearer | None
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
        return header(self.request, name)

    def part(self, name: str) -> str:
        return str(self.request.route_params[name])

    @property
    def who(self) -> Caller:
        if self.caller is None:
            raise NotAuthenticated("this needs a token")
        assert not isinstance(self.caller, Newcomer), "admitted to change the password only"
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

    @property
    def person(self) -> UserCaller | Newcomer:
        """The calling user, also one with a first password."""
        if self.caller is None or isinstance(self.caller, DeviceCaller):
            raise Forbidden("this is for users")
        return self.caller

    @property
    def customer(self) -> CustomerId:
        """The customer that the path names, if the caller may see it."""
        return customer_for(self.who, self.id(CustomerId))

    @property
    def address(self) -> str | None:
        return address_of(self.request)

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

    def filter[E: StrEnum](self, name: str, kind: type[E]) -> E | None:
        """What the list is to be narrowed to; `None`: to nothing. Raises `Malformed`."""
        text = self.request.params.get(name)
        try:
            return None if text is None else kind(text)
        except ValueError:
            raise Malformed(name, f"is one of {', '.join(kind)}") from None

    def filter_id[I: Id](self, name: str, kind: type[I]) -> I | None:
        text = self.request.params.get(name)
        try:
            return None if text is None else kind.parse(text)
        except Malformed as fault:
            raise Malformed(name, fault.reason) from None

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


def header(req: func.HttpRequest, name: str) -> str | None:
    return cast("Mapping[str, str]", req.headers).get(name)


def address_of(req: func.HttpRequest) -> str | None:
    """The last hop that the front end wrote down: what stands before it, the client may have invented."""
    told = header(req, "X-Forwarded-For")
    return None if told is None else told.rpartition(",")[2].strip()[:100]
