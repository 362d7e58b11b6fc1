"""A snapshot as folders: what is in one is found without reading what lies deeper."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from agent.engine.snapshot import Snapshot
from shared.format.items import Item, ItemKind, order

_PAGES_KEPT = 64
_BEHIND = b"\x01"
"""What lies in a folder sorts as its path and a NUL; this is behind all of it."""


class _Opened(NamedTuple):
    orders: Sequence[bytes]
    items: Sequence[Item]


class Tree:
    """Raises `Damaged` when a page that is needed cannot be read. For one thread."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._rows = snapshot.sound_rows()
        self._orders = [order(row.first_path) for row in self._rows]
        self._page = lru_cache(_PAGES_KEPT)(self._read)

    def find(self, path: bytes) -> Item | None:
        """The item at `path`; a bare folder where only what lies deeper was backed up."""
        item = self._first(order(path))
        if item is not None and item.path == path:
            return item
        below = item is not None and item.path.startswith(path + b"/" if path else b"")
        return _bare_folder(path) if below or not path else None

    def children(self, folder: bytes) -> Iterator[Item]:
        """What is in it, sorted; each child costs at most one page."""
        prefix = folder + b"/" if folder else b""
        item = self._first(order(prefix) or _BEHIND)
        while item is not None and item.path.startswith(prefix):
            child = prefix + item.path[len(prefix) :].partition(b"/")[0]
            yield item if item.path == child else _bare_folder(child)
            item = self._first(order(child) + _BEHIND)

    def _first(self, at: bytes) -> Item | None:
        """The first item whose order is `at` or behind it."""
        number = max(bisect_right(self._orders, at) - 1, 0)
        while number < len(self._rows):
            page = self._page(number)
            place = bisect_left(page.orders, at)
            if place < len(page.items):
                return page.items[place]
            number += 1
        return None

    def _read(self, number: int) -> _Opened:
        [page] = self.snapshot.read([self._rows[number]])
        if page.damage is not None:
            raise page.damage
        return _Opened([order(item.path) for item in page.items], page.items)


def _bare_folder(path: bytes) -> Item:
    return Item(path, ItemKind.DIRECTORY, 0o755, 0, 0, "", "", 0, 0)
