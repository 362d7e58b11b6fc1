"""NCRONTAB and time spans: when a timer is next due."""

from datetime import UTC, datetime, timedelta

import pytest

from localhost.schedule import BadScheduleError, parse_schedule

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/5 * * * * *", "2026-01-01T12:00:05"),
        ("0 */5 * * * *", "2026-01-01T12:05:00"),
        ("0 0 3 * * *", "2026-01-02T03:00:00"),
        ("0 30 9 * * 1-5", "2026-01-02T09:30:00"),
        ("0 0 0 * * Mon", "2026-01-05T00:00:00"),
        ("0 0 0 * * 0", "2026-01-04T00:00:00"),
        ("0 0 0 1 * *", "2026-02-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 3 13 * 5", "2026-02-13T03:00:00"),
        ("30 3 * * *", "2026-01-02T03:30:00"),
        ("00:10:00", "2026-01-01T12:10:00"),
        ("1.00:00:00", "2026-01-02T12:00:00"),
    ],
)
def test_the_next_occurrence_is_the_one_azure_would_take(expression: str, expected: str) -> None:
    assert parse_schedule(expression)(START) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_schedule_follows_its_time_zone_through_the_change_of_clocks() -> None:
    schedule = parse_schedule("0 0 4 * * *", "Europe/Berlin")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first = schedule(before)
    assert first == datetime(2026, 3, 29, 2, tzinfo=UTC)
    assert schedule(first) - first == timedelta(days=1)
    assert schedule(datetime(2026, 1, 1, tzinfo=UTC)).hour == 3


@pytest.mark.parametrize("expression", ["", "* * *", "61 * * * * *", "a b c d e f", "00:00:00", "* * * * * * *"])
def test_an_expression_that_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(BadScheduleError):
        parse_schedule(expression)
