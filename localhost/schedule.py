"""When a timer trigger is next due: NCRONTAB with six fields, or a constant interval. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, croniter

Schedule = Callable[[datetime], datetime]
_INTERVAL = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


class BadScheduleError(ValueError):
    """An expression that is neither NCRONTAB nor a time span."""


def parse_schedule(expression: str, zone: str = "UTC") -> Schedule:
    """The function from a time to the next occurrence after it, both aware UTC. Raises BadScheduleError.

    `sec min hour day month weekday` in the time zone `zone`; day and weekday must both fit, as in NCRONTAB and
    unlike cron. With five fields the second is 0. `[d.]hh:mm:ss` is an interval.
    """
    if span := _INTERVAL.fullmatch(expression.strip()):
        return _every(span)
    fields = expression.split()
    if len(fields) not in (5, 6):
        raise BadScheduleError(f"'{expression}' has {len(fields)} fields; NCRONTAB has 6")
    return _cron(" ".join(fields if len(fields) == 6 else ["0", *fields]), ZoneInfo(zone))


def _every(span: re.Match[str]) -> Schedule:
    days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
    interval = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not interval:
        raise BadScheduleError("an interval must be longer than 0 s")
    return lambda now: now + interval


def _cron(expression: str, zone: ZoneInfo) -> Schedule:
    def next_after(now: datetime) -> datetime:
        local = now.astimezone(zone)
        found = croniter(expression, local, second_at_beginning=True, day_or=False).get_next(datetime)
        return found.astimezone(UTC)

    try:
        next_after(datetime(2026, 1, 1, tzinfo=UTC))
    except (CroniterBadCronError, ValueError) as error:
        raise BadScheduleError(f"'{expression}' is not NCRONTAB: {error}") from error
    return next_after
