"""HTTP requests and replies as values, between the server and whatever answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is decoded but for `%2F`, header names are in lower case, repeated ones joined."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    url: str

    def query(self) -> Mapping[str, str]:
        """Query parameters, repeated ones joined with a comma, as the Functions host does."""
        return joined(parse_qsl(self.query_string, keep_blank_values=True))

    def origin(self) -> str:
        return self.url[: self.url.index("/", self.url.index("://") + 3)]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def json_reply(status: int, value: Any, *headers: tuple[str, str]) -> Reply:
    return Reply(status, [JSON_TYPE, *headers], json.dumps(value).encode())


def problem(status: int, message: str) -> Reply:
    return json_reply(status, {"Message": message})


def joined(pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Repeated names become one value, joined with a comma."""
    result: dict[str, str] = {}
    for name, value in pairs:
        result[name] = f"{result[name]},{value}" if name in result else value
    return result
