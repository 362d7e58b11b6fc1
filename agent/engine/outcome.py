"""What a restore came to so far. Safe for many threads."""

import errno
import threading
from dataclasses import dataclass, field

from agent.engine.orders import Progress, Trouble
from shared.domain.errors import HortError
from shared.format.items import Item


class TargetFull(HortError):
    """There is no room for more where the snapshot is restored to."""


@dataclass(slots=True)
class Outcome:
    progress: Progress
    files: int = 0
    directories: int = 0
    unchanged: int = 0
    logical_bytes: int = 0
    read_bytes: int = 0
    packs: set[str] = field(default_factory=set[str])
    left_alone: list[Trouble] = field(default_factory=list[Trouble])
    hurt: list[Trouble] = field(default_factory=list[Trouble])
    not_restored: set[bytes] = field(default_factory=set[bytes])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def came(self, item: Item, size_bytes: int) -> None:
        """A part of a file; `restored` is told of it as `told_bytes`."""
        self.progress.advance(0, size_bytes, item.path)

    def restored(self, item: Item, told_bytes: int = 0) -> None:
        with self._lock:
            self.files += 1
            self.logical_bytes += item.size
        self.progress.advance(1, item.size - told_bytes, item.path)

    def restored_folder(self, item: Item) -> None:
        self.directories += 1
        self.progress.advance(1, 0, item.path)

    def left(self, item: Item) -> None:
        """It is there already."""
        self.unchanged += 1
        self.progress.advance(1, item.size, item.path)

    def give_up(self, item: Item) -> None:
        """What has this path now, if anything, is not the snapshot's."""
        self.not_restored.add(item.path)

    def read(self, pack: str, size_bytes: int) -> None:
        with self._lock:
            self.read_bytes += size_bytes
            self.packs.add(pack)
        self.progress.sent(size_bytes)

    def skipped(self, trouble: Trouble) -> None:
        with self._lock:
            self.left_alone.append(trouble)

    def damaged(self, trouble: Trouble) -> None:
        with self._lock:
            self.hurt.append(trouble)

    def stop_if_full(self, error: Exception) -> None:
        """Going on would only list every file that is left. Raises `TargetFull`."""
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TargetFull("the disk of the target is full; what is there is whole, and a rerun goes on") from None
