"""Everything HTTP around an endpoint, in one place: token, body, call, record, reply."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import azure.functions as func
from pydantic import ValidationError

from shared.api.base import Page, Problem, Reply, Request, Tagged
from shared.domain.errors import Malformed, NotAuthenticated
from shared.domain.tenancy import Bearer
from shared.durable.engine import Engine
from shared.durable.register import Blueprint, takes_engine
from shared.operations.tokens import caller_of
from shared.services import Services
from triggers import auditing
from triggers.access import Who, admit
from triggers.call import Call, header
from triggers.endpoint import JSON_LINES, Endpoint
from triggers.problems import TooLarge, problem_of

MAX_BODY_BYTES = 1 << 20


def bind(bp: Blueprint, endpoint: Endpoint[Any, Any], services: Services) -> None:
    """Register the endpoint with Azure Functions. Tokens are ours to check, hence `ANONYMOUS`."""
    route = bp.route(route=f"v1{endpoint.path}", methods=[endpoint.method], auth_level=func.AuthLevel.ANONYMOUS)

    def plain(req: func.HttpRequest) -> func.HttpResponse:
        return answer(endpoint, services, req, None)

    def with_engine(req: func.HttpRequest, engine: Engine) -> func.HttpResponse:
        return answer(endpoint, services, req, engine)

    plain.__name__ = with_engine.__name__ = endpoint.name
    route(takes_engine(bp, with_engine) if endpoint.workflows else plain)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: the thing to say, and the word for it in the audit log."""

    said: Reply | Problem
    word: str = auditing.DONE


def answer(
    endpoint: Endpoint[Any, Any], services: Services, req: func.HttpRequest, engine: Engine | None
) -> func.HttpResponse:
    caller: Bearer | None = None
    try:
        caller = _caller(endpoint.who, services, req)
        outcome = Outcome(_call(endpoint, services, caller, req, engine))
    except Exception as fault:
        outcome = _refusal(fault, req)
    # Act, record, reply: who gets no reply repeats the act, so none stays without a record.
    try:
        auditing.keep(endpoint, services, caller, req, outcome.said, outcome.word)
    except Exception as fault:
        outcome = _refusal(fault, req)
    if endpoint.lines is not None and not isinstance(outcome.said, Problem):
        return _lines(cast("Page[Any]", outcome.said), req, services)
    return _reply(endpoint, outcome.said, services)


def _call(
    endpoint: Endpoint[Any, Any],
    services: Services,
    caller: Bearer | None,
    req: func.HttpRequest,
    engine: Engine | None,
) -> Reply:
    if caller is not None:
        admit(endpoint.who, caller)
    return endpoint.handler(Call(services, caller, _body(endpoint, req), req, engine))


def _refusal(fault: Exception, req: func.HttpRequest) -> Outcome:
    problem = problem_of(fault, req.url.partition("?")[0])
    return Outcome(problem, problem.type.rpartition(":")[2])


def _caller(who: Who, services: Services, req: func.HttpRequest) -> Bearer | None:
    if who is Who.ANYONE:
        return None
    scheme, _, token = (header(req, "Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("this needs a token: Authorization: Bearer ...")
    return caller_of(services, token)


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


def _reply(endpoint: Endpoint[Any, Any], said: Reply | Problem, services: Services) -> func.HttpResponse:
    if isinstance(said, Problem):
        status, kind, body = said.status, "application/problem+json", said.model_dump_json(exclude_none=True)
    else:
        status, kind, body = endpoint.status, "application/json", said.model_dump_json()
    return func.HttpResponse(body, status_code=status, mimetype=kind, headers={**_headers(endpoint, said, services)})


def _lines(page: Page[Any], req: func.HttpRequest, services: Services) -> func.HttpResponse:
    body = "".join(f"{item.model_dump_json()}\n" for item in page.items)
    more = {} if page.next is None else {"Link": f'<?{urlencode({**req.params, "after": page.next})}>; rel="next"'}
    headers = {**_common(services), **more}
    return func.HttpResponse(body, status_code=HTTPStatus.OK, mimetype=JSON_LINES, headers=headers)


def _headers(endpoint: Endpoint[Any, Any], said: Reply | Problem, services: Services) -> Mapping[str, str]:
    common = _common(services)
    match said:
        case Problem(retry_after_seconds=int(seconds)):
            return {**common, "Retry-After": str(seconds)}
        case Tagged(etag=etag):
            return {**common, "ETag": etag}
        case Problem(status=HTTPStatus.UNAUTHORIZED):
            return {**common, "WWW-Authenticate": "Bearer"}
        case Problem(status=HTTPStatus.SERVICE_UNAVAILABLE):
            return {**common, "Retry-After": "1"}
        case Problem():
            return common
        case _ if endpoint.cached_seconds:
            return {**common, "Cache-Control": f"public, max-age={endpoint.cached_seconds}"}
        case _:
            return common


def _common(services: Services) -> Mapping[str, str]:
    # A device whose clock is wrong learns here what time it is.
    return {"Hort-Time": services.now().isoformat(), "Cache-Control": "no-store"}
