"""Where chunks lie, by the index segments that were read."""

from collections.abc import Collection, Sequence

from shared.format.indexes import IndexSegment, Located
from shared.format.names import IndexName, PackName
from shared.format.refs import PackRef

_ROW_BITS = 32


class Locations:
    """Chunk ids to rows of segments. Some 170 bytes a chunk, so about 170 MB for a vault of 1 TiB.

    A chunk may lie in several packs. The segment that sorts last tells which is meant, to writers and readers alike: a
    writer that went by another one would keep the wrong pack alive. So a chunk that is `unusable` there is unknown.
    """

    def __init__(self, segments: Sequence[IndexSegment], unusable: Collection[PackName] = ()) -> None:
        self._segments = sorted(segments, key=lambda segment: segment.name)
        self._places: dict[bytes, int] = {}
        for number, segment in enumerate(self._segments):
            first = number << _ROW_BITS
            self._places.update((chunk, first | row) for row, chunk in enumerate(segment.ids()))
            for chunk in _unusable(segment, unusable):
                del self._places[chunk]

    def __contains__(self, chunk: bytes) -> bool:
        return chunk in self._places

    def at(self, chunk: bytes) -> Located | None:
        """None when no segment knows the chunk. Raises `Damaged` when its row leads nowhere."""
        if chunk not in self._places:
            return None
        segment, row = self._row(chunk)
        return segment.at(row)

    def needs(self, chunk: bytes) -> tuple[IndexName, PackRef]:
        """The segment and the pack without which a known chunk cannot be read."""
        segment, row = self._row(chunk)
        return segment.name, segment.packs[segment.pack_number(row)]

    def _row(self, chunk: bytes) -> tuple[IndexSegment, int]:
        place = self._places[chunk]
        return self._segments[place >> _ROW_BITS], place & (1 << _ROW_BITS) - 1


def _unusable(segment: IndexSegment, packs: Collection[PackName]) -> set[bytes]:
    gone = {number for number, ref in enumerate(segment.packs) if ref.name in packs}
    rows = enumerate(segment.ids()) if gone else ()
    return {chunk for row, chunk in rows if segment.pack_number(row) in gone}
