"""The way to a snapshot's pages: first paths, so that one path among millions is found by halving."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.format import wire
from shared.format.errors import Damaged

MAX_INLINE_ROWS = 1_024
"""A head with more rows keeps them in `table` chunks, one level down."""

TABLE_ROWS = 1_024
MAX_TABLE_ROWS = 4_096

_CUT_BITS = TABLE_ROWS - 1


class PageRow(NamedTuple):
    first_path: bytes
    chunk: bytes


def encode(rows: Sequence[PageRow]) -> bytes:
    return wire.pack(rows)


def decode(data: bytes, name: str) -> tuple[PageRow, ...]:
    """Raises `Damaged`."""
    try:
        return parse(wire.unpack(data))
    except ValueError as error:
        raise Damaged(name, str(error)) from None


def parse(value: wire.Plain) -> tuple[PageRow, ...]:
    """Raises `ValueError`."""
    match value:
        case list():
            return tuple(_row(row) for row in value)
        case _:
            raise ValueError("a table of pages that is none")


def split(rows: Sequence[PageRow]) -> Iterator[Sequence[PageRow]]:
    """Cuts a long table where the chunk ids, which are keyed, say so: a new page renews one part, not all."""
    start = 0
    for at, row in enumerate(rows, 1):
        if not int.from_bytes(row.chunk[:2]) & _CUT_BITS or at - start == MAX_TABLE_ROWS:
            yield rows[start:at]
            start = at
    if start < len(rows):
        yield rows[start:]


def _row(value: wire.Plain) -> PageRow:
    match value:
        case [bytes(first_path), bytes(chunk)]:
            return PageRow(first_path, chunk)
        case _:
            raise ValueError("a row of a table of pages that is none")
