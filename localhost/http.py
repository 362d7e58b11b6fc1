"""The HTTP door (ASGI): functions, the durable webhooks, and `/admin`."""

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from localhost.admin import Admin
from localhost.invoke import Invoker
from localhost.keys import WEBHOOK_LEVEL, Keys
from localhost.management import BASE_PATH, Management
from localhost.messages import Reply, Request, joined, problem
from localhost.replies import reply_of
from localhost.routes import Found, NotFound, Route, compile_route, find
from localhost.settings import resolve
from localhost.worker import Function, FunctionFailedError, http_request

log = logging.getLogger("localhost.http")
MAX_BODY_BYTES = 100 * 1024 * 1024  # the Functions host's own limit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class BodyTooLargeError(Exception):
    """More bytes than MAX_BODY_BYTES came or were announced."""


class HttpApp:
    """An ASGI application over the app's HTTP triggers."""

    def __init__(
        self,
        functions: Iterable[Function],
        prefix: str,
        keys: Keys,
        invoker: Invoker,
        management: Management,
        admin: Admin,
    ) -> None:
        """Raises BadRouteError, BadSettingsError."""
        triggers = [f for f in functions if f.kind == "httptrigger"]
        self._functions = {f.name: f for f in triggers}
        self._routes = [_route(f, prefix) for f in triggers]
        self._keys, self._invoker, self._management, self._admin = keys, invoker, management, admin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            reply = await self._answer(_request(scope, await _read_body(scope, receive)))
        except BodyTooLargeError:
            reply = problem(413, f"a body may have at most {MAX_BODY_BYTES} bytes")
        except Exception:
            log.exception("cannot answer %s", scope["path"])
            reply = Reply(500)
        await _send(reply, scope["method"], send)

    async def _answer(self, request: Request) -> Reply:
        if request.path == BASE_PATH or request.path.startswith(BASE_PATH + "/"):
            if not self._keys.allow(request, WEBHOOK_LEVEL):
                return Reply(401)
            return await self._management.answer(request)
        if request.path.startswith("/admin/"):
            return await self._admin.answer(request)
        match find(self._routes, request.method, request.path):
            case Found(function, params):
                return await self._call(self._functions[function], request, params)
            case NotFound():
                return Reply(404)
            case wrong:
                return Reply(405, [("allow", ", ".join(sorted(wrong.allowed)))])

    async def _call(self, function: Function, request: Request, params: Any) -> Reply:
        if not self._keys.allow(request, function.setting("authLevel") or "function", function.name):
            return Reply(401)
        data = http_request(request.method, request.url, request.headers, params, request.query(), request.body)
        try:
            return reply_of(await self._invoker.invoke(function, data))
        except FunctionFailedError:
            return Reply(500)


def _route(function: Function, prefix: str) -> Route:
    path = resolve(function.setting("route") or function.name).strip("/")
    return compile_route(f"{prefix}/{path}", function.trigger.get("methods") or [], function.name)


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    announced = next((int(v) for k, v in scope["headers"] if k == b"content-length" and v.isdigit()), 0)
    if announced > MAX_BODY_BYTES:
        raise BodyTooLargeError
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise BodyTooLargeError
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _request(scope: Scope, body: bytes) -> Request:
    headers = joined([(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in scope["headers"]])
    raw = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    host = headers.get("host") or ":".join(str(part) for part in scope["server"])
    url = f"{scope['scheme']}://{host}{raw}" + (f"?{query}" if query else "")
    # A slash that came as %2F belongs to a value, not to the path: it stays as it came.
    path = unquote(raw.replace("%2F", "%252F").replace("%2f", "%252f"))
    return Request(scope["method"], path, query, headers, body, url)


async def _send(reply: Reply, method: str, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    bodiless = reply.status < 200 or reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    if not bodiless and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless or method == "HEAD" else reply.body})
