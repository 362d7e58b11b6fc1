"""The OpenAPI document as a judge: every reply that the tests see must be one that it promises."""

# pyright: reportUnknownMemberType=false
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

JSON_LINES = "application/x-ndjson"

type Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """The document and, kept once made, a validator for each kind of reply."""

    document: Mapping[str, Any]
    _made: dict[tuple[str, str, str], Draft202012Validator] = field(default_factory=dict, compare=False)

    @property
    def routes(self) -> frozenset[str]:
        """All of them, such as `GET /accounts/{account}/devices`."""
        paths: Mapping[str, Mapping[str, Any]] = self.document["paths"]
        methods = ("get", "put", "post", "delete", "patch")
        return frozenset(f"{m.upper()} {path}" for path, item in paths.items() for m in methods if m in item)

    def operation(self, route: str) -> Mapping[str, Any]:
        method, _, path = route.partition(" ")
        return self.document["paths"][path][method.lower()]

    def route_of(self, method: str, path: str) -> str | None:
        """The route that a path below `/api/v1` belongs to; `None` for what the document does not know."""
        bare = path.partition("?")[0]
        return next((route for route in self.routes if _pattern(route).fullmatch(f"{method} {bare}")), None)

    def judge(self, method: str, path: str, status: int, kind: str, body: Any) -> None:
        """Fails with the fault when the document does not promise such a reply."""
        route = self.route_of(method, path)
        if route is None:
            return
        promised = self.operation(route)["responses"]
        assert str(status) in promised, f"{route} answered {status}, which its document does not know: {body}"
        content = promised[str(status)]["content"]
        assert kind in content, f"{route} answered {kind}, its document promises {list(content)}"
        validator = self._validator(route, str(status), kind)
        parts: list[Any] = body if kind == JSON_LINES else [body]
        faults = [fault.message for part in parts for fault in validator.iter_errors(part)]
        assert not faults, f"{route} {status}: {faults}"

    def _validator(self, route: str, status: str, kind: str) -> Draft202012Validator:
        key = route, status, kind
        if key not in self._made:
            schema = self.operation(route)["responses"][status]["content"][kind]["schema"]
            whole = {**schema, "components": self.document["components"]}
            self._made[key] = Draft202012Validator(whole, format_checker=FormatChecker())
        return self._made[key]


@cache
def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", route))
