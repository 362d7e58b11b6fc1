"""The bytes of files, large and small, on their way into chunks."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.engine.orders import Progress
from agent.engine.reading import batches, extents
from agent.engine.recall import Recall
from agent.engine.stow import Job, Small, Stow
from shared.format import content
from shared.format.chunks import ChunkKind
from shared.format.items import content_hash
from shared.format.keys import VaultKeys

SMALL_BYTES = 256 << 10
"""Files up to this size share chunks with their neighbours."""

BUNDLE_BYTES = 1 << 20


@dataclass(slots=True)
class Draft:
    """A file's rows, coming in piece by piece from the workers."""

    rows: list[bytes] = field(default_factory=list[bytes])
    waiting: int = 0
    size: int = 0
    digest: bytes = b""

    def expect(self) -> int:
        """The place of rows that will come."""
        self.rows.append(b"")
        self.waiting += 1
        return len(self.rows) - 1

    def fill(self, place: int, rows: bytes) -> None:
        self.rows[place] = rows
        self.waiting -= 1


@dataclass(slots=True)
class _Bundle:
    """Small files on their way into one chunk, and the drafts that wait for its id."""

    data: list[bytes] = field(default_factory=list[bytes])
    small: dict[bytes, Small] = field(default_factory=dict[bytes, Small])
    drafts: list[tuple[Draft, Small]] = field(default_factory=list[tuple[Draft, Small]])
    size_bytes: int = 0

    def add(self, digest: bytes, data: bytes) -> None:
        self.small[digest] = Small(digest, self.size_bytes, len(data))
        self.data.append(data)
        self.size_bytes += len(data)


class Contents:
    """Turns what is read into drafts; `flush` before all drafts are waited for."""

    def __init__(self, stow: Stow, keys: VaultKeys, recall: Recall, progress: Progress) -> None:
        self._stow, self._keys, self._recall, self._progress = stow, keys, recall, progress
        self._bundle = _Bundle()
        self._under_way: dict[bytes, _Bundle] = {}

    def small(self, data: bytes) -> Draft:
        """A small file, read whole."""
        draft = Draft(size=len(data))
        if not data:
            return draft
        draft.digest = content_hash(self._keys, data)
        row = self._recall.row(draft.digest)
        if row is not None:
            draft.rows.append(row)
            return draft
        self._join(draft, data)
        return draft

    def large(self, handle: int, status: os.stat_result, path: bytes) -> Draft:
        """A file that is cut by its content, and read no further than it was long at first."""
        draft = Draft()
        for extent in extents(handle, status):
            if extent.hole:
                draft.rows.append(content.encode_hole(extent.length))
                draft.size += extent.length
                continue
            for pieces in batches(handle, extent, self._keys.chunker):
                self._submit(draft, pieces)
                self._progress.advance(0, sum(map(len, pieces)), path)
        return draft

    def flush(self) -> None:
        """Sends the bundle as it is."""
        bundle, self._bundle = self._bundle, _Bundle()
        if not bundle.data:
            return

        def done(names: list[bytes]) -> None:
            self._bundled(bundle, names[0])

        self._stow.submit(Job(ChunkKind.DATA, (b"".join(bundle.data),), done, tuple(bundle.small.values())))

    def _join(self, draft: Draft, data: bytes) -> None:
        """Into the bundle that holds these bytes already, or into the one that is being filled."""
        bundle = self._under_way.get(draft.digest)
        if bundle is None:
            bundle = self._under_way[draft.digest] = self._bundle
            bundle.add(draft.digest, data)
        draft.expect()
        bundle.drafts.append((draft, bundle.small[draft.digest]))
        if self._bundle.size_bytes >= BUNDLE_BYTES:
            self.flush()

    def _bundled(self, bundle: _Bundle, chunk: bytes) -> None:
        for draft, (_, offset, length) in bundle.drafts:
            draft.fill(0, content.encode_row(chunk, offset, length))
        for digest, offset, length in bundle.small.values():
            self._recall.keep(digest, chunk, offset, length)
            del self._under_way[digest]

    def _submit(self, draft: Draft, pieces: Sequence[memoryview]) -> None:
        place = draft.expect()
        lengths = [len(piece) for piece in pieces]
        draft.size += sum(lengths)

        def done(names: list[bytes]) -> None:
            draft.fill(place, b"".join(content.encode_row(name, 0, n) for name, n in zip(names, lengths, strict=True)))

        self._stow.submit(Job(ChunkKind.DATA, pieces, done))
