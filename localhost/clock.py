"""The host's time: real, or real plus an offset that tests move forward.

The host names `localhost.clock:now` in the environment variable `LOCALHOST_NOW`; an app that reads its time through
the callable named there lives in the same time as the timers of its orchestrations.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    """UTC time plus an offset; the offset only grows, and only where the clock is virtual."""

    def __init__(self, *, virtual: bool = False) -> None:
        self.virtual = virtual
        self._offset = timedelta(0)

    @property
    def offset(self) -> timedelta:
        return self._offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def move_to(self, when: datetime) -> None:
        """Moves forward to `when`; a time that is past already changes nothing. Raises RuntimeError on a real clock."""
        if not self.virtual:
            raise RuntimeError("a real clock cannot be moved: start the host with a virtual clock")
        self._offset = max(self._offset, when - datetime.now(UTC))


_installed = Clock()


def install(clock: Clock) -> None:
    """Makes `clock` the one that `now` reads: there is one host a process."""
    global _installed
    _installed = clock


def now() -> datetime:
    """The time in which this process' host lives."""
    return _installed.now()
