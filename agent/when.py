"""A moment as people say it: `2026-11-20 14:00`, `yesterday 14:00`, `3 days ago`."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

_ISO = re.compile(r"^\d{4}-\d\d-\d\d([ t].*)?$")
_PHRASE = re.compile(
    r"^(?:(?P<day>today|yesterday)|(?P<number>\d{1,6}) (?P<unit>minute|hour|day|week)s? ago)(?: (?P<at>.+))?$"
)
_CLOCK = re.compile(r"^(\d{1,2}):(\d\d)(?::(\d\d))?$")
_LAST = time(23, 59, 59, 999_999)
_DAYS = {"today": 0, "yesterday": 1, "day": 1, "week": 7}
_EXACT = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


def parse_when(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment that `text` means in `zone`, aware; None when it is no such text.

    A day without a clock time is its end, so that a snapshot of that day counts; `3 days ago` keeps the clock time.
    """
    said = " ".join(text.lower().removeprefix("as of ").split())
    here = now.astimezone(zone)
    if said == "now":
        return here
    if _ISO.match(said):
        return _iso(said, zone)
    found = _PHRASE.match(said)
    return _phrase(found, here) if found else None


def _iso(said: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(said.upper())
    except ValueError:
        return None
    if len(said) == len("2026-11-20"):
        moment = datetime.combine(moment, _LAST)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _phrase(found: re.Match[str], here: datetime) -> datetime | None:
    at = _clock(found["at"]) if found["at"] else None
    if found["at"] and at is None:
        return None
    try:
        if found["unit"] in _EXACT:
            return None if at else _exactly(here, int(found["number"]) * _EXACT[found["unit"]])
        day = here.date() - timedelta(days=_DAYS[found["day"] or found["unit"]] * int(found["number"] or 1))
    except OverflowError:
        return None
    clock = at or (_LAST if found["day"] else here.time())
    return datetime.combine(day, clock, here.tzinfo)


def _exactly(here: datetime, ago: timedelta) -> datetime:
    """Hours are hours, also on the day when the clocks change."""
    return (here.astimezone(UTC) - ago).astimezone(here.tzinfo)


def _clock(text: str) -> time | None:
    found = _CLOCK.match(text)
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        return None
