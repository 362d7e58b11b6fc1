"""When a plan is due: cron text or plain words, in the device's time zone, spread over the devices."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import croniter

from shared.domain.errors import Malformed

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_CLOCK = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")
_FIELD = r"(?:[0-9*/,-]|\b[a-z]{3}\b)+"
_CRON = re.compile(rf"^{_FIELD}(?: {_FIELD}){{4}}$")
_LAST_DATE = 28
"""That every month has."""
_LEAP = timedelta(hours=3)
"""More than any zone's clocks are put forward or back at once."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Wall-clock times as a cron expression of five fields.

    A time that the clocks skip is made up for an hour later; one that comes twice counts once, the first time.
    """

    cron: str

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """`hourly`, `daily 22:00`, `weekly sunday 03:00`, `monthly 1 04:00` (1 to 28), or cron text.

        Raises `Malformed`, also for a day that never comes, such as 30 February.
        """
        said = " ".join(text.lower().split())
        cron = _cron_of(said) or said
        if not _CRON.match(cron) or not _ever(cron):
            raise Malformed(
                "schedule",
                f"{text!r} is no schedule: write `hourly`, `daily 22:00`, `weekly sunday 03:00`, `monthly 1 04:00`"
                " or five fields of cron",
            )
        return cls(cron)

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first time after `moment`, in UTC."""
        wall = moment.astimezone(zone).replace(tzinfo=None) - _LEAP
        times = (time.replace(tzinfo=zone).astimezone(UTC) for time in _times(self.cron, wall))
        return next(due for due in times if due > moment)


def offset(seed: str, spread: timedelta) -> timedelta:
    """How much later than the schedule says a device begins: always the same for it, and other devices another."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
    return timedelta(seconds=number % max(int(spread.total_seconds()), 1))


def _cron_of(said: str) -> str | None:
    match said.split():
        case ["hourly"]:
            return "0 * * * *"
        case ["daily", clock]:
            return f"{_clock(clock)} * * *"
        case ["weekly", day, clock] if day in _DAYS:
            return f"{_clock(clock)} * * {_DAYS.index(day)}"
        case ["monthly", date, clock] if date.isdecimal() and 1 <= int(date) <= _LAST_DATE:
            return f"{_clock(clock)} {int(date)} * *"
        case _:
            return None


def _clock(text: str) -> str:
    """Minute and hour as cron has them; what is no clock time stays what it is, and is no cron either."""
    found = _CLOCK.match(text)
    return f"{int(found[2])} {int(found[1])}" if found else text


def _ever(cron: str) -> bool:
    try:
        next(_times(cron, datetime(2024, 1, 1)))  # noqa: DTZ001 - wall-clock times have no zone
    except (croniter.CroniterError, StopIteration):
        return False
    return True


def _times(cron: str, wall: datetime) -> Iterator[datetime]:
    library: Any = croniter.croniter
    return library(cron, wall, ret_type=datetime)
