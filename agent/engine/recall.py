"""Small files that were seen before, by what is in them: a copy or a renamed folder is not stored again."""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.engine.journal import Member
from agent.engine.known import Known
from agent.engine.memory import memos
from shared.format import content

MAX_REMEMBERED = 1 << 20
"""Up to 84 bytes each; beyond it a copy may be stored twice."""

_SLOT = struct.Struct(">16sIII")
_EMPTY = bytes(16)


class _Table:
    """Digests (16 bytes) to three numbers, open addressing in one buffer: a dict would take three times the room."""

    def __init__(self, slots: int = 1 << 10) -> None:
        self._mask = slots - 1
        self._buffer = bytearray(slots * _SLOT.size)
        self._count = 0
        self._free = False
        """Whether the place that was found last is free."""

    def __len__(self) -> int:
        return self._count

    def get(self, digest: bytes) -> tuple[int, int, int] | None:
        found, *numbers = _SLOT.unpack_from(self._buffer, self._place(digest))
        return (numbers[0], numbers[1], numbers[2]) if found == digest else None

    def put(self, digest: bytes, first: int, second: int, third: int) -> None:
        at = self._place(digest)
        self._count += self._free
        _SLOT.pack_into(self._buffer, at, digest, first, second, third)
        if 3 * self._count > 2 * self._mask:
            self._grow()

    def _place(self, digest: bytes) -> int:
        """Where the digest is, or the free slot where it belongs; a third is always free."""
        buffer, width, mask = self._buffer, _SLOT.size, self._mask
        at = (int.from_bytes(digest[:8]) & mask) * width
        while (found := bytes(buffer[at : at + 16])) not in (digest, _EMPTY):
            at = (at // width + 1 & mask) * width
        self._free = found == _EMPTY
        return at

    def _grow(self) -> None:
        larger = _Table(2 * (self._mask + 1))
        for digest, *numbers in self._rows():
            larger.put(digest, *numbers)
        self._mask, self._buffer = larger._mask, larger._buffer

    def _rows(self) -> Iterator[tuple[bytes, int, int, int]]:
        return (row for row in _SLOT.iter_unpack(self._buffer) if row[0] != _EMPTY)


class Recall:
    """Rows of small files by content hash: of earlier runs, as far as their chunks are still there, and of this one."""

    def __init__(self, known: Known, last_run: Path, key: bytes) -> None:
        self._known = known
        self._last_run: Path | None = last_run
        self._key = key
        self._places = _Table()
        self._chunks: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def learn(self, members: Iterable[Member]) -> None:
        for member in members:
            self.keep(*member)

    def keep(self, digest: bytes, chunk: bytes, offset: int, length: int) -> None:
        if len(self._places) < MAX_REMEMBERED and digest != _EMPTY:
            self._places.put(digest, self._number(chunk), offset, length)

    def row(self, digest: bytes) -> bytes | None:
        self._load()
        place = self._places.get(digest)
        if place is None:
            return None
        number, offset, length = place
        chunk = self._chunks[number]
        return content.encode_row(chunk, offset, length) if chunk in self._known else None

    def _number(self, chunk: bytes) -> int:
        """Many files share a chunk, so it is kept once."""
        number = self._numbers.setdefault(chunk, len(self._chunks))
        if number == len(self._chunks):
            self._chunks.append(chunk)
        return number

    def _load(self) -> None:
        """The last run's small files, when the first is asked for: a run without changes never needs them."""
        if self._last_run is None:
            return
        path, self._last_run = self._last_run, None
        for memo in memos(path, self._key):
            if memo.digest:
                self.keep(memo.digest, *content.only_row(memo.rows))
