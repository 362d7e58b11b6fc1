"""An index segment: which chunk lies in which pack, for the packs of one session.

packs (4) | chunks (4) | a row a pack: session (26), SHA-256 (32), size (8) | a row a chunk, sorted by id:
id (32), kind (1), offset (4), length (4), raw length (4), number of its pack (4)
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain.errors import Malformed
from shared.domain.ids import SessionId
from shared.format.chunks import ID_BYTES
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys
from shared.format.names import IndexName, PackName
from shared.format.records import ROW, ChunkRecord, parse_row
from shared.format.refs import PackRef
from shared.format.seal import Sealed, seal, unseal

SEGMENT_ROWS = 65_536
"""About 3 MiB, and the chunks of some 64 GiB."""

_COUNTS = struct.Struct(">II")
_PACK = struct.Struct(">26s32sQ")
_NUMBER = struct.Struct(">I")
_WIDTH = ROW.size + _NUMBER.size


class Located(NamedTuple):
    """A chunk and the pack it lies in."""

    pack: PackName
    record: ChunkRecord


@dataclass(frozen=True, slots=True)
class IndexSegment:
    """Kept as the bytes that were read: a row is parsed when somebody asks for it, not before."""

    name: IndexName
    packs: tuple[PackRef, ...]
    rows: bytes

    def __len__(self) -> int:
        return len(self.rows) // _WIDTH

    def ids(self) -> Iterator[bytes]:
        rows = self.rows
        return (rows[at : at + ID_BYTES] for at in range(0, len(rows), _WIDTH))

    def pack_number(self, row: int) -> int:
        number: int = _NUMBER.unpack_from(self.rows, row * _WIDTH + ROW.size)[0]
        return number

    def at(self, row: int) -> Located:
        """Raises `Damaged` for a row that leads nowhere."""
        number = self.pack_number(row)
        try:
            record = parse_row(ROW.unpack_from(self.rows, row * _WIDTH))
        except ValueError as error:
            raise Damaged(str(self.name), f"row {row}: {error}") from None
        if number >= len(self.packs) or record.end > self.packs[number].size_bytes:
            raise Damaged(str(self.name), f"row {row} leads out of its pack")
        return Located(self.packs[number].name, record)

    def located(self) -> Iterator[Located]:
        return (self.at(row) for row in range(len(self)))


def encode(
    keys: VaultKeys, name: IndexName, packs: Sequence[tuple[PackRef, Sequence[ChunkRecord]]], nonce: bytes
) -> bytes:
    """The sealed segment `name` over `packs` and their chunks."""
    rows = sorted(record.row() + _NUMBER.pack(n) for n, (_, records) in enumerate(packs) for record in records)
    table = (_PACK.pack(ref.name.session.encode(), bytes.fromhex(ref.name.pack_id), ref.size_bytes) for ref, _ in packs)
    body = b"".join((_COUNTS.pack(len(packs), len(rows)), *table, *rows))
    return seal(keys.index, Sealed.INDEX, keys.account, str(name), body, nonce)


def decode(keys: VaultKeys, name: IndexName, sealed: bytes) -> IndexSegment:
    """Raises `Damaged`."""
    body = unseal(keys.index, Sealed.INDEX, keys.account, str(name), sealed)
    if len(body) < _COUNTS.size:
        raise Damaged(str(name), "torn")
    packs, chunks = _COUNTS.unpack_from(body)
    start = _COUNTS.size + packs * _PACK.size
    if len(body) != start + chunks * _WIDTH:
        raise Damaged(str(name), "its counts do not fit its length")
    try:
        table = tuple(_pack_ref(*row) for row in _PACK.iter_unpack(body[_COUNTS.size : start]))
    except (UnicodeDecodeError, Malformed) as error:
        raise Damaged(str(name), str(error)) from None
    return IndexSegment(name, table, body[start:])


def split(
    packs: Sequence[tuple[PackRef, Sequence[ChunkRecord]]], rows: int = SEGMENT_ROWS
) -> Iterator[list[tuple[PackRef, Sequence[ChunkRecord]]]]:
    """Parts of `packs` that each make one segment: whole packs, up to `rows` chunks."""
    part: list[tuple[PackRef, Sequence[ChunkRecord]]] = []
    held = 0
    for ref, records in packs:
        if part and held + len(records) > rows:
            yield part
            part, held = [], 0
        part.append((ref, records))
        held += len(records)
    if part:
        yield part


def _pack_ref(session: bytes, digest: bytes, size_bytes: int) -> PackRef:
    return PackRef(PackName(SessionId.parse(session.decode("ascii")), digest.hex()), size_bytes)
