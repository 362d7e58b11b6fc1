"""Reads back what a restore made, and compares it with the snapshot: by keyed hashes, so the vault is hardly read."""

import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

from agent.engine.describe import KINDS
from agent.engine.fetch import locate, read_all
from agent.engine.ground import Ground
from agent.engine.orders import Trouble, shown
from agent.engine.places import UnsafePath
from agent.engine.snapshot import Snapshot
from agent.engine.walk import reason
from shared.format.chunks import ChunkKind, chunk_id
from shared.format.content import Segment
from shared.format.errors import Damaged
from shared.format.items import Item, ItemKind, content_hash

_A_TIME = 1_024
_HOLE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    """That are the snapshot's."""
    differing: tuple[Trouble, ...]


def verify(snapshot: Snapshot, ground: Ground, items: Iterable[Item], threads: int) -> Verified:
    """Of files every byte, of links where they lead; what was just written is read from the disk, not from memory."""
    os.sync()
    verifier, checked, differing = _Verifier(snapshot, ground), 0, list[Trouble]()
    with ThreadPoolExecutor(threads, "verify") as pool:
        for some in batched(items, _A_TIME, strict=False):
            checked += len(some)
            differing += (trouble for trouble in pool.map(verifier.fault, some) if trouble)
    return Verified(checked - len(differing), tuple(differing))


@dataclass(frozen=True, slots=True)
class _Verifier:
    snapshot: Snapshot
    ground: Ground

    def fault(self, item: Item) -> Trouble | None:
        try:
            why = self._fault(item)
        except (Damaged, UnsafePath) as error:
            why = str(error)
        except OSError as error:
            why = reason(error)
        return Trouble(shown(item.path), why) if why else None

    def _fault(self, item: Item) -> str:
        there = self.ground.status(item.path)
        if there is None:
            return "it is not there"
        match item.kind:
            case ItemKind.FILE:
                return self._file(item)
            case ItemKind.HARD_LINK:
                file = self.snapshot.find(item.target)
                return "its file is not in the snapshot" if file is None else self._file(file._replace(path=item.path))
            case ItemKind.SYMLINK if self.ground.read_link(item.path) != item.target:
                return "it leads elsewhere"
            case _:
                return "" if KINDS[stat.S_IFMT(there.st_mode)] is item.kind else "it is of another kind"

    def _file(self, item: Item) -> str:
        handle = self.ground.open_file(item.path)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return "it is no file"
            if status.st_size != item.size:
                return f"{status.st_size} bytes where the snapshot has {item.size}"
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            return "" if self._same_bytes(item, handle) else "its bytes are not the snapshot's"
        finally:
            os.close(handle)

    def _same_bytes(self, item: Item, handle: int) -> bool:
        if item.content_hash:
            return content_hash(self.snapshot.keys, _read(handle, 0, item.size)) == item.content_hash
        at = 0
        for segment in self.snapshot.segments(item):
            for length, part in _parts(segment):
                if not self._same_part(part, _read(handle, at, length)):
                    return False
                at += length
        return True

    def _same_part(self, segment: Segment, data: bytes) -> bool:
        if segment.chunk is None:
            return data.count(0) == len(data)
        place = locate(self.snapshot.locations, segment.chunk)
        if isinstance(place, Damaged):
            raise place
        if (segment.offset, segment.length) == (0, place.record.raw_length):
            return chunk_id(self.snapshot.keys, ChunkKind.DATA, data) == segment.chunk
        return self._fetched(segment) == data

    def _fetched(self, segment: Segment) -> bytes:
        """A part of a chunk has no hash of its own."""
        snapshot, chunk = self.snapshot, segment.chunk or b""
        plain = read_all([chunk], snapshot.reader, snapshot.keys, snapshot.locations, ChunkKind.DATA)[chunk]
        if isinstance(plain, Damaged):
            raise plain
        return plain[segment.offset : segment.offset + segment.length]


def _parts(segment: Segment) -> Iterator[tuple[int, Segment]]:
    """A chunk whole; a hole, which may be longer than memory, in pieces."""
    if segment.chunk is not None:
        yield segment.length, segment
        return
    for at in range(0, segment.length, _HOLE_BYTES):
        yield min(_HOLE_BYTES, segment.length - at), segment


def _read(handle: int, at: int, length: int) -> bytes:
    """Shorter when the file is."""
    parts: list[bytes] = []
    while length and (data := os.pread(handle, length, at)):
        parts.append(data)
        at, length = at + len(data), length - len(data)
    return b"".join(parts)
