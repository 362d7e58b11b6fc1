"""How fast a backup may send, by the time of day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from shared.domain.errors import Malformed

_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_LIMIT = re.compile(rf"^(?:{_CLOCK}-{_CLOCK} )?(?:(none)|(\d{{1,6}}(?:\.\d{{1,3}})?) ?([kmg])ib)$")
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MIDNIGHT = time(0, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """From `begins` to just before `ends`, also over midnight; equal, they are the whole day."""

    begins: time
    ends: time
    bytes_a_second: int | None
    """None: as fast as the line is."""

    def covers(self, now: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= now < self.ends
        return now >= self.begins or now < self.ends


@dataclass(frozen=True, slots=True)
class Limits:
    """The first window that covers a moment counts; where none does, there is no limit."""

    windows: tuple[Window, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Limits":
        """Of `08:00-18:00 500 KiB`, `2 MiB` (all day), `22:00-06:00 none`; a second each. Raises `Malformed`."""
        return cls(tuple(_window(text) for text in texts))

    def at(self, now: time) -> int | None:
        """Bytes a second; None is no limit."""
        return next((window.bytes_a_second for window in self.windows if window.covers(now)), None)


def _window(text: str) -> Window:
    found = _LIMIT.match(" ".join(text.lower().split()))
    amount = 0 if found is None or found[5] else int(float(found[6]) * _UNITS[found[7]])
    if found is None or not (found[5] or amount):
        raise Malformed("limit", f"{text!r} is no limit: write `2 MiB`, `08:00-18:00 500 KiB`, or `22:00-06:00 none`")
    begins, ends = (time(int(found[n] or 0), int(found[n + 1] or 0)) if found[1] else _MIDNIGHT for n in (1, 3))
    return Window(begins, ends, None if found[5] else amount)
