"""The entries of a snapshot that somebody asked for, and the folders on the way to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from agent.engine.globs import Rules
from agent.engine.orders import Trouble, shown
from agent.engine.snapshot import Snapshot, inside
from shared.format.items import Item, ItemKind, order


class Entry(NamedTuple):
    item: Item
    asked: bool
    """False for a folder that only stands above what was asked for."""


class Notes(Protocol):
    """Hears what is not as it should be."""

    def damaged(self, trouble: Trouble) -> None: ...

    def skipped(self, trouble: Trouble) -> None: ...


class Unheard:
    """Notes for a second reading: they were taken the first time."""

    def damaged(self, trouble: Trouble) -> None: ...

    def skipped(self, trouble: Trouble) -> None: ...


@dataclass(slots=True)
class Selection:
    """Below `paths`, what `rules` take. Every entry comes once, and folders come before what is in them."""

    snapshot: Snapshot
    paths: tuple[bytes, ...]
    """As `outermost` gives them."""
    rules: Rules
    seen_all: bool = True
    """Whether every page could be read: what was not seen must not be taken for absent."""
    _told: set[bytes] = field(default_factory=set[bytes])

    @property
    def everything(self) -> bool:
        return self.paths == (b"",) and self.rules == Rules.of((), ())

    def has(self, path: bytes) -> bool:
        """Whether the file at `path` is asked for, if it is in the snapshot."""
        below = any(inside(path, outer) for outer in self.paths)
        above = path.split(b"/")
        folders = (b"/".join(above[:depth]) for depth in range(1, len(above)))
        return (
            below
            and not self.rules.leaves_out(path, folder=False)
            and not any(self.rules.leaves_out(each, folder=True) for each in folders)
        )

    def entries(self, notes: Notes) -> Iterator[Entry]:
        self._told.clear()
        for path in self.paths:
            found = False
            for entry in self._below(path, notes):
                found = found or entry.asked
                yield entry
            if not found and not self.everything:
                fitting = "" if self.rules == Rules.of((), ()) else ", or nothing in it fits"
                notes.skipped(Trouble(shown(path), f"it is not in the snapshot{fitting}"))

    def _below(self, path: bytes, notes: Notes) -> Iterator[Entry]:
        way = list(self._above(path))
        left_out: bytes | None = None
        for item in self._items(path, notes):
            folder = item.kind is ItemKind.DIRECTORY
            if left_out is not None and inside(item.path, left_out):
                continue
            while way and not inside(item.path, way[-1].path):
                way.pop()
            if self.rules.leaves_out(item.path, folder):
                left_out = item.path if folder else left_out
            elif folder and not self.rules.asks_for(item.path):
                way.append(item)
            else:
                yield from self._way(way)
                yield Entry(item, asked=True)

    def _way(self, folders: Sequence[Item]) -> Iterator[Entry]:
        for item in folders:
            if item.path not in self._told:
                self._told.add(item.path)
                yield Entry(item, asked=False)

    def _above(self, path: bytes) -> Iterator[Item]:
        """The folders above `path` that the snapshot knows: none above its roots."""
        names = path.split(b"/")
        for depth in range(1, len(names)):
            folder = b"/".join(names[:depth])
            if any(inside(folder, root) for root in self.snapshot.head.paths):
                item = self.snapshot.find(folder)
                if item is not None and item.kind is ItemKind.DIRECTORY:
                    yield item

    def _items(self, below: bytes, notes: Notes) -> Iterator[Item]:
        for page in self.snapshot.pages(below):
            if page.trouble is not None:
                notes.damaged(page.trouble)
                self.seen_all = False
            for item in page.items:
                if inside(item.path, below):
                    yield item


def outermost(paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """The paths in order, without those inside another; no path at all means everything."""
    kept: list[bytes] = []
    for path in sorted((path.strip(b"/") for path in paths or (b"",)), key=order):
        if not any(inside(path, outer) for outer in kept):
            kept.append(path)
    return tuple(kept)
