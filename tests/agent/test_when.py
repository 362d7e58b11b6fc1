from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.when import parse_when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)  # 10:30 in Berlin


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-11-21 10:30:00+01:00"),
        ("yesterday 14:00", "2026-11-20 14:00:00+01:00"),
        ("as of Yesterday  14:00:30", "2026-11-20 14:00:30+01:00"),
        ("yesterday", "2026-11-20 23:59:59.999999+01:00"),
        ("today 9:05", "2026-11-21 09:05:00+01:00"),
        ("3 days ago", "2026-11-18 10:30:00+01:00"),
        ("1 week ago 08:00", "2026-11-14 08:00:00+01:00"),
        ("90 minutes ago", "2026-11-21 09:00:00+01:00"),
        ("1 hour ago", "2026-11-21 09:30:00+01:00"),
        ("2026-07-01", "2026-07-01 23:59:59.999999+02:00"),
        ("2026-07-01 14:00", "2026-07-01 14:00:00+02:00"),
        ("2026-07-01T14:00:00Z", "2026-07-01 14:00:00+00:00"),
        ("2026-07-01T14:00:00-05:00", "2026-07-01 14:00:00-05:00"),
        ("30 days ago", "2026-10-22 10:30:00+02:00"),
    ],
)
def test_a_moment_as_people_say_it(text: str, meant: str) -> None:
    found = parse_when(text, NOW, BERLIN)
    assert found == datetime.fromisoformat(meant)
    assert str(found) == meant


@pytest.mark.parametrize(
    "text",
    ["", "latest", "01kdvdna000000000000000002", "20261120", "2026-13-01", "yesterday 25:00", "yesterday noon",
     "2 hours ago 14:00", "999999 weeks ago", "3 fortnights ago", "2026-11-20 14:61"],
)  # fmt: skip
def test_what_is_no_moment_is_none(text: str) -> None:
    assert parse_when(text, NOW, BERLIN) is None


def test_hours_are_hours_when_the_clocks_change() -> None:
    after = datetime(2026, 10, 25, 8, 0, tzinfo=BERLIN)  # clocks went back at 03:00
    assert parse_when("24 hours ago", after, BERLIN) == datetime(2026, 10, 24, 9, 0, tzinfo=BERLIN)
    assert parse_when("1 day ago", after, BERLIN) == datetime(2026, 10, 24, 8, 0, tzinfo=BERLIN)


@given(text=st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    found = parse_when(text, NOW, BERLIN)
    assert found is None or found.tzinfo is not None


@given(days=st.integers(0, 9_000))
def test_so_many_days_ago_is_that_day_at_this_time(days: int) -> None:
    found = parse_when(f"{days} days ago", NOW, BERLIN)
    assert found is not None
    assert (NOW.astimezone(BERLIN).date() - found.date()).days == days
    assert found.time() == NOW.astimezone(BERLIN).time()
