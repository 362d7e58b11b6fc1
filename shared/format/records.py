"""Where a chunk lies in its pack: one row of fixed width."""

import struct
from typing import NamedTuple

from shared.format.chunks import ID_BYTES, OVERHEAD_BYTES, ChunkKind

ROW = struct.Struct(f">{ID_BYTES}sBIII")


class ChunkRecord(NamedTuple):
    """`offset` and `length` (bytes) in the pack; `raw_length` (bytes) is the plaintext's."""

    id: bytes
    kind: ChunkKind
    offset: int
    length: int
    raw_length: int

    def row(self) -> bytes:
        return ROW.pack(*self)

    @property
    def end(self) -> int:
        return self.offset + self.length


def parse_row(row: tuple[bytes, int, int, int, int]) -> ChunkRecord:
    """Raises `ValueError` for a kind that is not known or a length that cannot be."""
    name, kind, offset, length, raw_length = row
    if length < OVERHEAD_BYTES:
        raise ValueError(f"a sealed chunk of {length} bytes")
    return ChunkRecord(name, ChunkKind(kind), offset, length, raw_length)
