"""What a file consists of: pieces of chunks and holes, in rows of fixed width."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from shared.format.chunks import ID_BYTES

MAX_INLINE_ROWS = 256
"""A file with more rows keeps them in `list` chunks, so that a page of items stays small."""

MIN_LIST_ROWS = 256
MAX_LIST_ROWS = 16_384

_ROW = struct.Struct(f">{ID_BYTES}sIQ")
_HOLE = bytes(ID_BYTES)
_CUT_BITS = (1 << 10) - 1

ROW_BYTES = _ROW.size


class Segment(NamedTuple):
    """`length` bytes of a file: from `offset` in the chunk's plaintext on, or a hole where `chunk` is None."""

    chunk: bytes | None
    offset: int
    length: int


def encode_row(chunk: bytes, offset: int, length: int) -> bytes:
    return _ROW.pack(chunk, offset, length)


def encode_hole(length: int) -> bytes:
    return _ROW.pack(_HOLE, 0, length)


def decode_rows(rows: bytes) -> Iterator[Segment]:
    """Raises `ValueError` when the rows are torn."""
    if len(rows) % ROW_BYTES:
        raise ValueError("the content list is torn")
    return (Segment(None if chunk == _HOLE else chunk, *span) for chunk, *span in _ROW.iter_unpack(rows))


def only_row(rows: bytes) -> tuple[bytes, int, int]:
    """Chunk, offset and length of the one row that a small file has."""
    chunk, offset, length = _ROW.unpack(rows)
    return chunk, offset, length


def needs(rows: bytes) -> Iterator[tuple[bytes, int]]:
    """Each row's chunk and how many bytes of it are needed; holes left out."""
    return ((chunk, length) for chunk, _, length in _ROW.iter_unpack(rows) if chunk != _HOLE)


def chunk_ids(rows: bytes) -> Iterator[bytes]:
    """The chunks that the rows refer to, repeated as they come."""
    ids = (rows[at : at + ID_BYTES] for at in range(0, len(rows), ROW_BYTES))
    return (name for name in ids if name != _HOLE)


def length_bytes(rows: bytes) -> int:
    return sum(length for _, _, length in _ROW.iter_unpack(rows))


def split_list(rows: bytes) -> Iterator[bytes]:
    """Pieces of a long list, cut where the chunk ids say so: an edit in a large file renews one piece, not all.

    The ids are keyed, so the cuts tell nothing.
    """
    start = held = 0
    for at in range(0, len(rows), ROW_BYTES):
        held += 1
        cut = not int.from_bytes(rows[at : at + 2]) & _CUT_BITS and held >= MIN_LIST_ROWS
        if cut or held == MAX_LIST_ROWS:
            yield rows[start : at + ROW_BYTES]
            start, held = at + ROW_BYTES, 0
    if start < len(rows):
        yield rows[start:]
