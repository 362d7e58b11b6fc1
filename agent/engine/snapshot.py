"""A committed snapshot, opened for reading: its head, its pages, its items."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple, Self

from agent.engine.fetch import read_all
from agent.engine.locations import Locations
from agent.engine.orders import Trouble, shown
from agent.vault import Reader, VaultObjectMissing
from shared.domain.ids import SessionId
from shared.format import content, head, indexes, items, names, tables
from shared.format.chunks import ChunkKind
from shared.format.content import Segment
from shared.format.errors import Damaged
from shared.format.head import Head
from shared.format.items import Item, order
from shared.format.keys import VaultKeys
from shared.format.names import IndexName
from shared.format.tables import PageRow

_PAGES_A_READ = 32


@dataclass(frozen=True, slots=True)
class Page:
    """Some items in order, or the reason why they cannot be read."""

    row: PageRow
    items: Sequence[Item]
    damage: Damaged | None = None

    @property
    def trouble(self) -> Trouble | None:
        if self.damage is None:
            return None
        return Trouble(f"{shown(self.row.first_path)} and what follows", str(self.damage))


class Index(NamedTuple):
    """What locates chunks."""

    locations: Locations
    troubles: list[Trouble]


class Snapshot:
    """`troubles` are index segments that cannot be read; what they locate is damaged."""

    def __init__(self, reader: Reader, keys: VaultKeys, head: Head, index: Index) -> None:
        self.reader, self.keys, self.head = reader, keys, head
        self.troubles, self.locations = index.troubles, index.locations

    @classmethod
    def open(cls, reader: Reader, keys: VaultKeys, session: SessionId) -> Self:
        """Raises `Damaged`, or `VaultObjectMissing` when there is no such snapshot."""
        return cls.open_all(reader, keys, [session])[0]

    @classmethod
    def open_all(cls, reader: Reader, keys: VaultKeys, sessions: Sequence[SessionId]) -> list[Self]:
        """Several at the price of one: what locates their chunks, and its troubles, are shared. Raises like `open`."""
        heads = [head.decode(keys, session, reader.meta(names.head(session))) for session in sessions]
        index = _index(reader, keys, dict.fromkeys(name for each in heads for name in each.indexes))
        return [cls(reader, keys, each, index) for each in heads]

    def pages(self, below: bytes = b"") -> Iterator[Page]:
        """The pages that hold `below` and what is in it; the first and the last may hold other items too."""
        return self.read(self.rows(below))

    def read(self, wanted_rows: Iterable[PageRow | Page]) -> Iterator[Page]:
        """The pages of some rows, in order."""
        for rows in batched(wanted_rows, _PAGES_A_READ, strict=False):
            wanted = [row.chunk for row in rows if isinstance(row, PageRow)]
            opened = read_all(wanted, self.reader, self.keys, self.locations, ChunkKind.ITEMS)
            yield from (_page(row, opened[row.chunk]) if isinstance(row, PageRow) else row for row in rows)

    def find(self, path: bytes) -> Item | None:
        """The item at exactly this path. Raises `Damaged` when the page that would hold it cannot be read."""
        for page in self.pages(path):
            if page.damage is not None:
                raise page.damage
            for item in page.items:
                if item.path == path:
                    return item
        return None

    def segments(self, item: Item) -> list[Segment]:
        """What a file consists of. Raises `Damaged` when its list cannot be read, or does not add up to its size."""
        try:
            segments = list(content.decode_rows(self._all_rows(item)))
        except ValueError as error:
            raise Damaged(shown(item.path), str(error)) from None
        if sum(segment.length for segment in segments) != item.size:
            raise Damaged(shown(item.path), "its content does not add up to its size")
        return segments

    def _all_rows(self, item: Item) -> bytes:
        if item.depth == 0:
            return item.content
        wanted = list(content.chunk_ids(item.content))
        opened = read_all(wanted, self.reader, self.keys, self.locations, ChunkKind.LIST)
        return b"".join(_whole(opened[chunk]) for chunk in wanted)

    def sound_rows(self, below: bytes = b"") -> list[PageRow]:
        """The rows of `pages`. Raises `Damaged` when a table of them cannot be read."""
        return [_sound(row) for row in self.rows(below)]

    def rows(self, below: bytes = b"") -> Iterator[PageRow | Page]:
        """The rows of pages; a damaged table stands for all of its pages."""
        if self.head.depth == 0:
            yield from _covering(self.head.pages, below)
            return
        for upper in _covering(self.head.pages, below):
            opened = read_all([upper.chunk], self.reader, self.keys, self.locations, ChunkKind.TABLE)
            try:
                yield from _covering(tables.decode(_whole(opened[upper.chunk]), "table of pages"), below)
            except Damaged as damage:
                yield Page(upper, (), damage)


def inside(path: bytes, below: bytes) -> bool:
    """Whether `path` is `below` or lies in it."""
    return not below or path == below or path.startswith(below + b"/")


def _index(reader: Reader, keys: VaultKeys, segments: Iterable[IndexName]) -> Index:
    opened: list[indexes.IndexSegment] = []
    troubles: list[Trouble] = []
    for name in segments:
        try:
            opened.append(indexes.decode(keys, name, reader.meta(str(name))))
        except (Damaged, VaultObjectMissing) as error:
            troubles.append(Trouble(str(name), str(error)))
    return Index(Locations(opened), troubles)


def _covering(rows: Sequence[PageRow], below: bytes) -> Sequence[PageRow]:
    """The rows whose pages may hold something of `below`: those of a folder stand together."""
    if not below:
        return rows
    start = max(bisect_right(rows, order(below), key=_order) - 1, 0)
    # What lies in a folder sorts as its path and a NUL; the next possible neighbour has a 1 there.
    return rows[start : bisect_left(rows, order(below) + b"\x01", key=_order)]


def _order(row: PageRow) -> bytes:
    return order(row.first_path)


def _sound(row: PageRow | Page) -> PageRow:
    if isinstance(row, PageRow):
        return row
    raise row.damage or Damaged("table of pages", "it cannot be read")


def _page(row: PageRow, opened: bytes | Damaged) -> Page:
    try:
        return Page(row, items.decode_page(_whole(opened), "page of items"))
    except Damaged as damage:
        return Page(row, (), damage)


def _whole(opened: bytes | Damaged) -> bytes:
    if isinstance(opened, Damaged):
        raise opened
    return opened
