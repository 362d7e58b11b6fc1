"""Reading a file's bytes while others may be writing them."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from agent.engine.cutting import cut
from agent.engine.walk import Found

BLOCK_BYTES = 8 << 20
BATCH_BYTES = 4 << 20

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SECTOR_BYTES = 512


class Extent(NamedTuple):
    """A part of a file that holds data, or a hole."""

    offset: int
    length: int
    hole: bool


def open_file(found: Found) -> int:
    """Without touching the access time where the system allows it; a pipe put in its place cannot stop us."""
    try:
        return os.open(found.name, _FLAGS | os.O_NOATIME, dir_fd=found.folder)
    except PermissionError:
        return os.open(found.name, _FLAGS, dir_fd=found.folder)


def same(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file was left alone between the two."""
    return before.st_size == after.st_size and before.st_mtime_ns == after.st_mtime_ns and before.st_ino == after.st_ino


def extents(handle: int, status: os.stat_result) -> Iterator[Extent]:
    """The data and the holes of a file, in order; a file without holes is one extent."""
    if status.st_blocks * _SECTOR_BYTES >= status.st_size:
        yield Extent(0, status.st_size, hole=False)
        return
    at = 0
    while at < status.st_size:
        start = _seek_data(handle, at, status.st_size)
        if start > at:
            yield Extent(at, start - at, hole=True)
        if start < status.st_size:
            end = min(os.lseek(handle, start, os.SEEK_HOLE), status.st_size)
            yield Extent(start, end - start, hole=False)
            start = end
        at = start


def batches(handle: int, extent: Extent, key: bytes) -> Iterator[list[memoryview]]:
    """The pieces of an extent, some 4 MiB at a time; they end early when the file does."""
    at, end = extent.offset, extent.offset + extent.length
    carry = memoryview(b"")
    while at < end:
        block = _read_behind(handle, carry, at, min(BLOCK_BYTES, end - at))
        ended = len(block) == len(carry)
        at += len(block) - len(carry)
        pieces = list(cut(key, block))
        # The last piece may go on in the next block, unless there is none.
        carry = memoryview(b"") if ended or at >= end else pieces.pop()
        yield from _grouped(pieces)
        if ended:
            return


def _seek_data(handle: int, at: int, size: int) -> int:
    try:
        return min(os.lseek(handle, at, os.SEEK_DATA), size)
    except OSError:  # ENXIO: nothing but a hole up to the end
        return size


def _read_behind(handle: int, carry: memoryview, at: int, length: int) -> memoryview:
    """`carry` and up to `length` bytes from `at` on, in one buffer; shorter only at the end of the file."""
    buffer = memoryview(bytearray(len(carry) + length))
    buffer[: len(carry)] = carry
    filled = len(carry)
    while filled < len(buffer) and (got := os.preadv(handle, [buffer[filled:]], at + filled - len(carry))):
        filled += got
    return buffer[:filled]


def _grouped(pieces: list[memoryview]) -> Iterator[list[memoryview]]:
    group: list[memoryview] = []
    held = 0
    for piece in pieces:
        group.append(piece)
        held += len(piece)
        if held >= BATCH_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group
