"""One file on its way back: pieces arrive in any order, on any thread; the last one finishes it."""

import os
import threading
from dataclasses import dataclass
from typing import NamedTuple

from agent.engine.attributes import apply
from agent.engine.ground import Ground, Spot
from agent.engine.orders import Trouble, shown
from agent.engine.outcome import Outcome
from agent.engine.walk import reason
from shared.format.items import Item


class Piece(NamedTuple):
    """`length` bytes at `offset` of a chunk belong at `at` of a file."""

    landing: "Landing"
    at: int
    offset: int
    length: int


@dataclass(slots=True)
class _State:
    """What is under way; guarded by the landing's lock."""

    waiting: int
    name: bytes | None = None
    """The name that the file has while it is written."""
    failed: bool = False
    told_bytes: int = 0
    """What the progress of the restore has counted already: a large file takes long."""


class Landing:
    """A file that waits for so many `pieces` of data; what they do not cover is a hole."""

    __slots__ = ("_ground", "_lock", "_outcome", "_spot", "_state", "item")

    def __init__(self, item: Item, spot: Spot, pieces: int, ground: Ground, outcome: Outcome) -> None:
        self.item = item
        self._spot, self._ground, self._outcome = spot, ground, outcome
        self._lock = threading.Lock()
        self._state = _State(pieces)

    def start(self) -> None:
        """A file without data is finished at once."""
        if self._state.waiting == 0:
            self._attempt(None, 0)

    def write(self, data: memoryview, at: int) -> None:
        """Stores one piece. The file is made with the first and finished with the last."""
        with self._lock:
            self._state.waiting -= 1
            if not self._state.failed:
                self._attempt(data, at)

    def hurt(self, why: str) -> None:
        """One piece cannot be had: the file is taken back, for it would hold wrong bytes."""
        with self._lock:
            self._state.waiting -= 1
            if not self._state.failed:
                self._outcome.damaged(Trouble(shown(self.item.path), why))
                self._fail()

    def break_off(self) -> None:
        """The restore ends early: what is not whole is taken back."""
        with self._lock:
            if self._state.waiting and not self._state.failed:
                self._fail()

    def _attempt(self, data: memoryview | None, at: int) -> None:
        try:
            self._put(data, at)
        except FileExistsError:
            self._outcome.skipped(Trouble(shown(self.item.path), "it exists"))
            self._fail()
        except OSError as error:
            self._outcome.skipped(Trouble(shown(self.item.path), reason(error)))
            self._fail()
            self._outcome.stop_if_full(error)

    def _put(self, data: memoryview | None, at: int) -> None:
        handle = self._open()
        try:
            if data is not None:
                _write_all(handle, data, at)
            if self._state.waiting == 0:
                self._finish(handle)
            elif data is not None:
                self._state.told_bytes += len(data)
                self._outcome.came(self.item, len(data))
        finally:
            os.close(handle)

    def _open(self) -> int:
        if self._state.name is not None:
            return self._ground.reopen_file(self._spot, self._state.name)
        handle, self._state.name = self._ground.begin_file(self._spot)
        return handle

    def _finish(self, handle: int) -> None:
        assert self._state.name is not None, "it was opened"
        if os.fstat(handle).st_size != self.item.size:
            os.ftruncate(handle, self.item.size)  # it ends in a hole
        for trouble in apply(self.item, handle):
            self._outcome.skipped(Trouble(shown(self.item.path), trouble))
        self._ground.settle(self._spot, self._state.name)
        self._outcome.restored(self.item, self._state.told_bytes)

    def _fail(self) -> None:
        self._state.failed = True
        self._outcome.give_up(self.item)
        if self._state.name is not None:
            self._ground.drop(self._spot, self._state.name)


def _write_all(handle: int, data: memoryview, at: int) -> None:
    while data:
        written = os.pwrite(handle, data, at)
        data, at = data[written:], at + written
