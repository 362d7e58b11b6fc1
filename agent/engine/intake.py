"""What becomes of each entry that the walk finds: taken over as remembered, or looked at, read and described."""

import os
import stat
import time
from dataclasses import dataclass, field

from agent.engine.contents import SMALL_BYTES, Contents, Draft
from agent.engine.describe import describe, settled, stamp, xattrs
from agent.engine.known import Known
from agent.engine.memory import Memo, Memory
from agent.engine.orders import Trouble, shown
from agent.engine.outflow import Drafted, Outflow
from agent.engine.reading import open_file, same
from agent.engine.walk import Found, reason
from shared.format import content
from shared.format.head import MAX_SKIPPED
from shared.format.items import Item, ItemKind

_TRIES = 2


@dataclass(slots=True)
class Tally:
    """What a run came to so far."""

    files: int = 0
    directories: int = 0
    unchanged: int = 0
    logical_bytes: int = 0
    skipped_count: int = 0
    skipped: list[Trouble] = field(default_factory=list[Trouble])
    changing: list[Trouble] = field(default_factory=list[Trouble])

    def skip(self, path: bytes, why: str) -> None:
        self.skipped_count += 1
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(Trouble(shown(path), why))

    def unsteady(self, path: bytes) -> None:
        if len(self.changing) < MAX_SKIPPED:
            self.changing.append(Trouble(shown(path), "changed while it was read"))

    def count(self, folder: bool, size: int) -> None:
        self.directories += folder
        self.files += not folder
        self.logical_bytes += size


@dataclass(slots=True)
class _Read:
    """A file as it was read: its status before, its content on the way, its extended attributes."""

    status: os.stat_result
    draft: Draft
    xattrs: tuple[tuple[bytes, bytes], ...]


class Intake:
    """Takes entries one by one, in order."""

    def __init__(self, known: Known, memory: Memory, contents: Contents, outflow: Outflow, tally: Tally) -> None:
        self._known, self._memory, self._contents, self._outflow = known, memory, contents, outflow
        self._tally = tally
        self._linked: dict[tuple[int, int], bytes] = {}

    def take(self, found: Found) -> int:
        """How many bytes were dealt with and not told yet. What cannot be read is skipped, counted and reported."""
        try:
            entry = self._entry(found)
        except OSError as error:
            self._tally.skip(found.path, reason(error))
            return 0
        size = found.stat.st_size if _has_bytes(found, entry) else 0
        self._tally.count(stat.S_ISDIR(found.stat.st_mode), size)
        self._push(entry)
        return size if isinstance(entry, Memo) or size <= SMALL_BYTES else 0

    def _entry(self, found: Found) -> Memo | Drafted:
        if not _has_other_names(found.stat):
            return self._first_of_its_names(found)
        file = found.stat.st_dev, found.stat.st_ino
        if file in self._linked:
            return Drafted(_hard_link(found, self._linked[file]), b"", remember=False)
        entry = self._first_of_its_names(found)
        self._linked[file] = found.path
        return entry

    def _first_of_its_names(self, found: Found) -> Memo | Drafted:
        memo = self._memory.at(found.path)
        if memo is not None and memo.stamp == stamp(found.stat) and self._is_there(memo):
            self._tally.unchanged += 1
            return memo
        if stat.S_ISREG(found.stat.st_mode):
            return self._file(found)
        return Drafted(describe(found, found.stat), _trusted_stamp(found.stat))

    def _is_there(self, memo: Memo) -> bool:
        known = self._known
        return known.has_all(content.chunk_ids(memo.rows)) and (
            not memo.lists or known.has_all(content.chunk_ids(memo.lists))
        )

    def _file(self, found: Found) -> Drafted:
        """Reads it again when it changed meanwhile; if it will not hold still, it is stored as read, and reported."""
        read, still = self._read(found)
        for _ in range(_TRIES - 1):
            if still:
                break
            read, still = self._read(found)
        if not still:
            self._tally.unsteady(found.path)
        item = describe(found, read.status)._replace(xattrs=read.xattrs)
        return Drafted(item, _trusted_stamp(read.status) if still else b"", read.draft)

    def _read(self, found: Found) -> tuple[_Read, bool]:
        """What was read, and whether the file was left alone meanwhile."""
        handle = open_file(found)
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise OSError(0, "it was replaced by something that is no file")
            small = os.read(handle, SMALL_BYTES + 1) if before.st_size <= SMALL_BYTES else None
            if small is not None and len(small) <= SMALL_BYTES:
                draft = self._contents.small(small)
            else:
                draft = self._contents.large(handle, before, found.path)
            still = same(before, os.fstat(handle)) and draft.size == before.st_size
            return _Read(before, draft, xattrs(handle)), still
        finally:
            os.close(handle)

    def _push(self, entry: Memo | Drafted) -> None:
        if self._outflow.crowded:
            self._contents.flush()
            self._outflow.wait()
        self._outflow.push(entry)


def _hard_link(found: Found, first: bytes) -> Item:
    return describe(found, found.stat)._replace(kind=ItemKind.HARD_LINK, target=first)


def _has_other_names(status: os.stat_result) -> bool:
    return status.st_nlink > 1 and stat.S_ISREG(status.st_mode)


def _has_bytes(found: Found, entry: Memo | Drafted) -> bool:
    """A file has; another name of it adds none."""
    another_name = isinstance(entry, Drafted) and entry.item.kind is ItemKind.HARD_LINK
    return stat.S_ISREG(found.stat.st_mode) and not another_name


def _trusted_stamp(status: os.stat_result) -> bytes:
    """Empty when the file changed so lately that another change might not show."""
    return stamp(status) if settled(status, time.time_ns()) else b""
