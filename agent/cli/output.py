"""What a command says: one JSON document for programs, or lines for people; never both."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import cast

from agent.cli.exits import Exit

type Plain = bool | int | float | str | list[Plain] | dict[str, Plain] | None


@dataclass(frozen=True, slots=True)
class Outcome[T]:
    """`document` is a frozen dataclass, and the JSON that `--json` shows; `lines` says the same for people."""

    document: T
    lines: Callable[[T], Iterable[str]]
    exit: Exit = Exit.OK


def show[T](outcome: Outcome[T], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plain(outcome.document), ensure_ascii=False))
        return
    for line in outcome.lines(outcome.document):
        print(line)


def show_fault(message: str, code: Exit, *, as_json: bool, program: str = "hort") -> None:
    message = printable(message)
    if as_json:
        print(json.dumps({"error": {"code": code.value, "reason": code.word, "message": message}}, ensure_ascii=False))
    else:
        print(f"{program}: {message}", file=sys.stderr)


def plain(value: object) -> Plain:
    """Dataclasses and named tuples become objects, times RFC 3339 in UTC, paths and bytes printable text."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float():
            return value
        case str():
            return printable(str(value))
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Path():
            return printable(str(value))
        case Mapping():
            return {str(name): plain(item) for name, item in cast(Mapping[object, object], value).items()}
        case tuple() if names := cast(tuple[str, ...], getattr(cast(object, value), "_fields", ())):
            return {name: plain(getattr(cast(object, value), name)) for name in names}
        case list() | tuple() | Iterator():
            return [plain(item) for item in cast(Iterable[object], value)]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def printable(text: str) -> str:
    """Text that every terminal takes: names need not be Unicode, and control characters could pretend to be output."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in clean)


def size(size_bytes: float) -> str:
    """Such as `1.4 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"


def count(number: int, one: str, many: str | None = None) -> str:
    """Such as `1 file` and `2,000 files`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Rows as aligned lines; the last column runs free."""
    known = list(rows)
    widths = [max(map(len, column)) for column in zip(*known, strict=True)]
    for row in known:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
