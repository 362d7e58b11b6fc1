"""What the last run knew of each entry, read alongside the scan: both are sorted alike, so nothing is looked up."""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from agent.engine.frames import read_frames, write_frame
from shared.format import wire
from shared.format.items import order

_FRAME_BYTES = 1 << 20
_TOTALS = struct.Struct(">QQ")


class Memo(NamedTuple):
    """One entry as it was stored; on the wire in this order."""

    path: bytes
    stamp: bytes
    """What the system said of it; empty when that must not be trusted."""
    item: bytes
    """The encoded item, ready for a page."""
    rows: bytes
    """The rows of its content, all of them."""
    lists: bytes
    """The rows that refer to its `list` chunks, where it has any."""
    digest: bytes
    """The content hash of a small file."""


class Totals(NamedTuple):
    entries: int
    logical_bytes: int


class Memory:
    """Walks along the memos of the last run as the scan goes on."""

    def __init__(self, memos: Iterable[Memo]) -> None:
        self._memos = iter(memos)
        self._next: Memo | None = next(self._memos, None)

    def at(self, path: bytes) -> Memo | None:
        """The memo of `path`; paths must be asked for in the order of a snapshot, each once."""
        if self._next is None or self._next.path != path:
            self._skip_to(order(path))
        if self._next is None or self._next.path != path:
            return None
        found, self._next = self._next, next(self._memos, None)
        return found

    def _skip_to(self, wanted: bytes) -> None:
        while self._next is not None and order(self._next.path) < wanted:
            self._next = next(self._memos, None)


def memos(path: Path, key: bytes) -> Iterator[Memo]:
    """Up to the first frame that is damaged; none when there is no file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        frames = read_frames(file, key)
        next(frames, None)
        for frame in frames:
            yield from (_memo(value) for value in wire.unpack_all(frame))


def totals(path: Path, key: bytes) -> Totals | None:
    """What the last run came to, when it is known."""
    try:
        with path.open("rb") as file:
            first = next(read_frames(file, key), None)
    except FileNotFoundError:
        return None
    return Totals(*_TOTALS.unpack(first)) if first and len(first) == _TOTALS.size else None


class MemoryWriter:
    """Writes the memos of this run. Nobody reads them before `close` has made them durable."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._write_totals(Totals(0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written was told when it was tried
            self._file.close()

    def add(self, memo: Memo) -> None:
        packed = wire.pack(memo)
        self._held.append(packed)
        self._held_bytes += len(packed)
        if self._held_bytes >= _FRAME_BYTES:
            self._flush()

    def close(self, sums: Totals) -> None:
        self._flush()
        self._file.seek(0)
        self._write_totals(sums)
        os.fsync(self._file.fileno())

    def _flush(self) -> None:
        write_frame(self._file, self._key, b"".join(self._held))
        self._held, self._held_bytes = [], 0

    def _write_totals(self, sums: Totals) -> None:
        write_frame(self._file, self._key, _TOTALS.pack(*sums))


def _memo(value: wire.Plain) -> Memo:
    match value:
        case [bytes(path), bytes(stamp), bytes(item), bytes(rows), bytes(lists), bytes(digest)]:
            return Memo(path, stamp, item, rows, lists, digest)
        case _:
            raise ValueError("a memo that is none")
