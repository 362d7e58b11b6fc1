"""Items into pages, and pages into the table by which a path is found again."""

from collections.abc import Sequence
from typing import NamedTuple

from agent.engine.stow import Job, Stow
from shared.format import tables
from shared.format.chunks import ChunkKind
from shared.format.items import ends_page
from shared.format.keys import VaultKeys
from shared.format.tables import PageRow


class Table(NamedTuple):
    """The pages of a snapshot as its head keeps them, and every chunk that they and the table are."""

    depth: int
    rows: tuple[PageRow, ...]
    chunks: frozenset[bytes]


class PageWriter:
    """Takes items in order; `finish` after the last."""

    def __init__(self, stow: Stow, keys: VaultKeys) -> None:
        self._stow, self._keys = stow, keys
        self._items: list[bytes] = []
        self._size_bytes = 0
        self._first = b""
        self._rows: list[PageRow] = []

    def add(self, path: bytes, item: bytes) -> None:
        """`item` is encoded."""
        if not self._items:
            self._first = path
        self._items.append(item)
        self._size_bytes += len(item)
        if ends_page(self._keys, path, len(self._items), self._size_bytes):
            self._end_page()

    def finish(self) -> Table:
        if self._items:
            self._end_page()
        self._stow.drain()
        pages = frozenset(row.chunk for row in self._rows)
        if len(self._rows) <= tables.MAX_INLINE_ROWS:
            return Table(0, tuple(self._rows), pages)
        upper = tuple(self._store(part) for part in tables.split(self._rows))
        return Table(1, upper, pages | {row.chunk for row in upper})

    def _end_page(self) -> None:
        place, first = len(self._rows), self._first
        self._rows.append(PageRow(first, b""))

        def done(names: list[bytes]) -> None:
            self._rows[place] = PageRow(first, names[0])

        self._stow.submit(Job(ChunkKind.ITEMS, (b"".join(self._items),), done))
        self._items, self._size_bytes = [], 0

    def _store(self, rows: Sequence[PageRow]) -> PageRow:
        return PageRow(rows[0].first_path, self._stow.store(ChunkKind.TABLE, tables.encode(rows)))
