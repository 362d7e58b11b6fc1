"""One heap of moments at which something must happen: timers, delayed signals, scheduled starts, NCRONTAB."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(order=True, slots=True)
class Alarm:
    """A callback due at a time; a cancelled alarm never rings and never counts as the next one."""

    when: datetime
    order: int
    ring: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


class Alarms:
    """Alarms in the order in which they ring. Not thread safe: the engine's lock guards it."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []
        self._order = itertools.count()

    def set(self, when: datetime, ring: Callable[[], None]) -> Alarm:
        alarm = Alarm(when, next(self._order), ring)
        heapq.heappush(self._heap, alarm)
        return alarm

    def next_due(self) -> datetime | None:
        """When the earliest alarm that still counts rings."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].when if self._heap else None

    def ring_due(self, now: datetime) -> None:
        """Rings what is due at `now`, earliest first; alarms that those set in the past ring too."""
        while (due := self.next_due()) is not None and due <= now:
            heapq.heappop(self._heap).ring()
