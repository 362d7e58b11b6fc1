"""All snapshots as one tree that can only be read: a room a snapshot, and in it the files where they came from."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import lru_cache
from typing import NamedTuple

from agent.engine.fetch import read_all
from agent.engine.snapshot import Snapshot
from agent.engine.tree import Tree
from agent.vault import Reader, SnapshotInfo
from shared.domain.ids import SessionId
from shared.format.chunks import ChunkKind
from shared.format.content import Segment
from shared.format.errors import Damaged
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys

_TREES_KEPT = 4
_FILES_KEPT = 64
_CHUNKS_KEPT = 16
_ROOM = Item(b"", ItemKind.DIRECTORY, 0o755, 0, 0, "", "", 0, 0)


class _Place(NamedTuple):
    session: SessionId
    path: bytes


class Library:
    """Paths have no slash at either end. For one thread. Raises `Damaged` where something cannot be read."""

    def __init__(self, infos: Sequence[SnapshotInfo], reader: Reader, keys: VaultKeys) -> None:
        self._reader, self._keys = reader, keys
        self._rooms = {room(info): info for info in infos}
        self._tree = lru_cache(_TREES_KEPT)(self._open)
        self._segments = lru_cache(_FILES_KEPT)(self._list_segments)
        self._chunk = lru_cache(_CHUNKS_KEPT)(self._fetch)

    def item(self, path: bytes) -> Item | None:
        """What is there; another name of a file is that file."""
        if not path:
            return _ROOM
        place = self._place(path)
        if place is None:
            return None
        if not place.path:
            committed_at = self._rooms[path].committed_at
            return _ROOM._replace(mtime_ns=int(committed_at.timestamp()) * 10**9)
        return self._file(place)

    def names(self, path: bytes) -> Iterator[bytes]:
        """What is in a folder."""
        if not path:
            yield from self._rooms
        elif place := self._place(path):
            for item in self._tree(place.session).children(place.path):
                yield item.path.rpartition(b"/")[2]

    def read(self, path: bytes, offset: int, length: int) -> bytes:
        """Bytes of a file; fewer at its end."""
        place = self._place(path)
        if place is None:
            return b""
        at, parts = 0, list[bytes]()
        for segment in self._segments(place):
            start, end = max(offset - at, 0), min(offset + length - at, segment.length)
            if start < end:
                parts.append(self._bytes(place.session, segment)[start:end] if segment.chunk else bytes(end - start))
            at += segment.length
            if at >= offset + length:
                break
        return b"".join(parts)

    def _place(self, path: bytes) -> _Place | None:
        name, _, inside = path.partition(b"/")
        info = self._rooms.get(name)
        return None if info is None else _Place(info.session, inside)

    def _file(self, place: _Place) -> Item | None:
        item = self._tree(place.session).find(place.path)
        if item is not None and item.kind is ItemKind.HARD_LINK:
            return self._tree(place.session).find(item.target)
        return item

    def _list_segments(self, place: _Place) -> list[Segment]:
        item = self._file(place)
        return [] if item is None else self._tree(place.session).snapshot.segments(item)

    def _bytes(self, session: SessionId, segment: Segment) -> bytes:
        assert segment.chunk is not None, "holes have none"
        return self._chunk(session, segment.chunk)[segment.offset : segment.offset + segment.length]

    def _fetch(self, session: SessionId, chunk: bytes) -> bytes:
        locations = self._tree(session).snapshot.locations
        plain = read_all([chunk], self._reader, self._keys, locations, ChunkKind.DATA)[chunk]
        if isinstance(plain, Damaged):
            raise plain
        return plain

    def _open(self, session: SessionId) -> Tree:
        return Tree(Snapshot.open(self._reader, self._keys, session))


def room(info: SnapshotInfo) -> bytes:
    """Sorted by time, and good for finding the snapshot's id: `2026-11-20T14-00-00Z_<id>`."""
    return f"{info.committed_at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}_{info.session}".encode()
