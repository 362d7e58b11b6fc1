"""The OpenAPI 3.1 document, made of the same rows as the endpoints themselves."""

import re
from collections.abc import Iterable
from typing import Any

from openapi_pydantic import (
    Components,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
)
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class

from shared.api.base import Problem
from triggers.access import Who
from triggers.call import NoBody
from triggers.endpoint import JSON_LINES, Endpoint

VERSION = "1.0.0"

_TOKEN = SecurityScheme(type="http", scheme="bearer", bearerFormat="JWT", description="From `POST /token`.")

_ID = {"type": "string", "pattern": "^[0-7][0-9a-hjkmnp-tv-z]{25}$"}
_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "pack": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "slot": {"type": "string", "pattern": "^(recovery|passphrase|device-[0-9a-z]{26})$"},
}
_PROBLEMS = {
    "400": "The request is not valid: `field` says where.",
    "401": "No valid token.",
    "403": "This caller may not.",
    "404": "There is no such thing for this caller.",
    "409": "The state of things does not allow this.",
    "412": "`If-Match` or `If-None-Match` asked for something else.",
    "413": "The body is too large.",
    "422": "The Idempotency-Key came with another request before.",
    "429": "Too many wrong passwords: wait for `Retry-After` seconds.",
    "503": "Try again, after `Retry-After` seconds.",
}


def document(endpoints: Iterable[Endpoint[Any, Any]], public_url: str) -> str:
    """The document as JSON text."""
    paths: dict[str, PathItem] = {}
    for endpoint in endpoints:
        item = paths.setdefault(endpoint.path, PathItem())
        setattr(item, endpoint.method.lower(), _operation(endpoint))
    api = OpenAPI(
        info=Info(title="Hort", version=VERSION, summary="Zero-knowledge backup as a service"),
        servers=[Server(url=f"{public_url}/api/v1")],
        paths=paths,
        components=Components(securitySchemes={"token": _TOKEN}),
    )
    return construct_open_api_with_schema_class(api).model_dump_json(by_alias=True, exclude_none=True)


def _operation(endpoint: Endpoint[Any, Any]) -> Operation:
    return Operation(
        operationId=endpoint.name,
        summary=(endpoint.handler.__doc__ or "").strip().splitlines()[0],
        description=f"For {endpoint.who.value}.",
        parameters=[*_path_parameters(endpoint), *_other_parameters(endpoint)],
        requestBody=_request_body(endpoint),
        responses={str(int(endpoint.status)): _reply(endpoint), **_problems(endpoint)},
        security=None if endpoint.who is Who.ANYONE else [{"token": []}],
    )


def _path_parameters(endpoint: Endpoint[Any, Any]) -> Iterable[Parameter]:
    for name in re.findall(r"\{(\w+)\}", endpoint.path):
        yield _parameter(name, "path", _PATH_SCHEMAS.get(name, _ID), required=True)


def _other_parameters(endpoint: Endpoint[Any, Any]) -> Iterable[Parameter]:
    if endpoint.pages:
        yield _parameter("after", "query", {"type": "string"})
        yield _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
    for name in endpoint.filters:
        yield _parameter(name, "query", {"type": "string"})
    if endpoint.creates:
        yield _parameter("Idempotency-Key", "header", {"type": "string", "minLength": 8, "maxLength": 128})
    if endpoint.method == "PUT":
        yield _parameter("If-Match", "header", {"type": "string"})
        yield _parameter("If-None-Match", "header", {"type": "string", "enum": ["*"]})


def _parameter(name: str, where: str, schema: dict[str, Any], *, required: bool = False) -> Parameter:
    return Parameter.model_validate(
        {"name": name, "in": where, "required": required, "schema": Schema.model_validate(schema)}
    )


def _request_body(endpoint: Endpoint[Any, Any]) -> RequestBody | None:
    if endpoint.body is NoBody:
        return None
    kind = "application/x-www-form-urlencoded" if endpoint.form else "application/json"
    schema = PydanticSchema(schema_class=endpoint.body)
    return RequestBody(required=True, content={kind: MediaType(schema=schema)})


def _reply(endpoint: Endpoint[Any, Any]) -> Response:
    if endpoint.lines is not None:
        line = {JSON_LINES: MediaType(schema=PydanticSchema(schema_class=endpoint.lines))}
        return Response(description='One a line; `Link: <...>; rel="next"` says where it goes on.', content=line)
    content = {"application/json": MediaType(schema=PydanticSchema(schema_class=endpoint.reply))}
    return Response(description=endpoint.status.phrase, content=content)


def _problems(endpoint: Endpoint[Any, Any]) -> dict[str, Response]:
    content = {"application/problem+json": MediaType(schema=PydanticSchema(schema_class=Problem))}
    # Where there is no token, the body says who calls.
    absent = {"401", "403"} if endpoint.who is Who.ANYONE and endpoint.body is NoBody else set[str]()
    absent |= set() if endpoint.guesses else {"429"}
    return {
        status: Response(description=text, content=content)
        for status, text in _PROBLEMS.items()
        if status not in absent
    }
