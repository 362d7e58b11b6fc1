"""Sends no faster than it may; all threads of a run share one pace."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from agent import ending

SLICE_BYTES = 64 << 10


class Pace:
    """`rate` says bytes a second for now, or None for no limit; it is asked again for every slice."""

    def __init__(
        self,
        rate: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = ending.wait,
    ) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._lock = threading.Lock()
        self._free_at = 0.0

    def slices(self, body: Sequence[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        """The same bytes, in slices, each when its turn has come. Raises `Ending`."""
        for part in body:
            if self._rate() is None:
                yield part
                continue
            view = memoryview(part)
            for at in range(0, len(view), SLICE_BYTES):
                self._wait(len(view[at : at + SLICE_BYTES]))
                yield view[at : at + SLICE_BYTES]

    def _wait(self, size_bytes: int) -> None:
        rate = self._rate()
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            turn = max(self._free_at, now)
            self._free_at = turn + size_bytes / rate
        if turn > now:
            self._sleep(turn - now)
