"""When plans are due: in every zone, across every change of the clocks, and spread over the devices."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plans.due import Runs, due_at
from agent.plans.plan import Plan
from agent.plans.schedule import Schedule, offset
from shared.domain.errors import Malformed

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]).map(
    ZoneInfo
)
MOMENTS = st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(BERLIN):%a %d.%m. %H:%M}"


@pytest.mark.parametrize(
    ("text", "cron", "then"),
    [
        ("hourly", "0 * * * *", "Sat 21.11. 14:00"),
        ("daily 22:00", "0 22 * * *", "Sat 21.11. 22:00"),
        ("Daily  7:05", "5 7 * * *", "Sun 22.11. 07:05"),
        ("weekly monday 03:30", "30 3 * * 1", "Mon 23.11. 03:30"),
        ("weekly sunday 03:30", "30 3 * * 0", "Sun 22.11. 03:30"),
        ("monthly 1 04:00", "0 4 1 * *", "Tue 01.12. 04:00"),
        ("*/20 * * * *", "*/20 * * * *", "Sat 21.11. 13:20"),
        ("0 8-18/2 * * mon-fri", "0 8-18/2 * * mon-fri", "Mon 23.11. 08:00"),
    ],
)
def test_a_schedule_in_words_or_cron(text: str, cron: str, then: str) -> None:
    schedule = Schedule.parse(text)
    assert schedule.cron == cron
    assert local(schedule.next_after(NOW, BERLIN)) == then


@pytest.mark.parametrize(
    "text",
    ["", "daily", "daily 24:00", "daily noon", "weekly 03:00", "weekly someday 03:00", "monthly 0 04:00", "0 4 30 2 *",
     "monthly 29 04:00", "* * * *", "* * * * * *", "61 * * * *", "r r * * *", "h h * * *", "@daily", "a b c d e"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="schedule"):
        Schedule.parse(text)


def test_clocks_that_are_put_forward_or_back_neither_skip_nor_double_a_day() -> None:
    nightly = Schedule.parse("daily 02:30")
    spring = nightly.next_after(datetime(2026, 3, 28, 12, tzinfo=BERLIN), BERLIN)
    assert local(spring) == "Sun 29.03. 03:30"
    autumn = nightly.next_after(datetime(2026, 10, 24, 12, tzinfo=BERLIN), BERLIN)
    assert (local(autumn), local(nightly.next_after(autumn, BERLIN))) == ("Sun 25.10. 02:30", "Mon 26.10. 02:30")


@given(moment=MOMENTS, zone=ZONES, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_daily_schedule_comes_once_a_day_everywhere(moment: datetime, zone: ZoneInfo, hour: int, minute: int) -> None:
    daily = Schedule.parse(f"daily {hour}:{minute:02}")
    due = daily.next_after(moment, zone)
    following = daily.next_after(due, zone)
    assert moment < due <= moment + timedelta(hours=26)
    days = following.astimezone(zone).date() - due.astimezone(zone).date()
    assert days == timedelta(days=1) or timedelta(hours=22) <= following - due <= timedelta(hours=26)


@given(seed=st.text(max_size=40), minutes=st.integers(0, 1440))
def test_a_device_always_waits_equally_long_and_never_longer_than_the_spread(seed: str, minutes: int) -> None:
    spread = timedelta(minutes=minutes)
    later = offset(seed, spread)
    assert later == offset(seed, spread)
    assert timedelta(0) <= later < max(spread, timedelta(seconds=1))


def test_a_thousand_devices_do_not_begin_together() -> None:
    minutes = [offset(f"device {n}/home", timedelta(hours=1)) // timedelta(minutes=1) for n in range(1_000)]
    assert set(minutes) == set(range(60))
    assert max(minutes.count(minute) for minute in range(60)) < 40


def plan(**changes: object) -> Plan:
    return Plan.model_validate({"paths": ["/home"], "schedule": "daily 22:00", "spread_minutes": 0} | changes)


def due(runs: Runs, now: datetime = NOW, **changes: object) -> str:
    return local(due_at(plan(**changes), runs, "seed", BERLIN, now))


def test_a_plan_that_never_ran_is_due_at_once() -> None:
    assert due(Runs()) == "Sat 21.11. 13:00"


def test_missed_runs_are_made_up_for_by_one() -> None:
    week_ago = Runs().after_success(NOW - timedelta(days=7), "")
    assert due_at(plan(), week_ago, "seed", BERLIN, NOW) < NOW
    assert due(Runs().after_success(NOW, "")) == "Sat 21.11. 22:00"


def test_a_failure_is_tried_again_ever_more_rarely_and_the_schedule_goes_on() -> None:
    runs, waits = Runs().after_success(NOW - timedelta(days=1), ""), list[float]()
    for _ in range(12):
        runs = runs.after_failure(NOW, "no network")
        waits.append((due_at(plan(), runs, "seed", BERLIN, NOW) - NOW) / timedelta(minutes=1))
    assert waits[:5] == [5, 10, 20, 40, 80]
    assert max(waits) == 6 * 60
    assert due(runs, schedule="hourly") == "Sat 21.11. 14:00"
    assert runs.after_success(NOW, "").failures == 0


def test_the_spread_moves_the_schedule_and_keeps_its_rhythm() -> None:
    spread = plan(spread_minutes=600)
    first = due_at(spread, Runs().after_success(NOW, ""), "seed", BERLIN, NOW)
    second = due_at(spread, Runs().after_success(first, ""), "seed", BERLIN, NOW)
    assert second - first == timedelta(days=1)
    assert first != due_at(spread, Runs().after_success(NOW, ""), "other", BERLIN, NOW)
