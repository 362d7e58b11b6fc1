"""The watch over a first backup: reminders in order and once, and an end after the patience (N8)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.seeding import PATIENCE, REMIND_AFTER, Expire, Remind, Wait, next_step

HEARD = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("after", "reminded", "step"),
    [
        (timedelta(0), 0, Wait(HEARD + DAY)),
        (DAY - INSTANT, 0, Wait(HEARD + DAY)),
        (DAY, 0, Remind(1)),
        (DAY, 1, Wait(HEARD + 3 * DAY)),
        (3 * DAY, 1, Remind(2)),
        (3 * DAY, 2, Wait(HEARD + 7 * DAY)),
        (7 * DAY, 2, Remind(3)),
        (7 * DAY, 3, Wait(HEARD + 14 * DAY)),
        (14 * DAY - INSTANT, 3, Wait(HEARD + 14 * DAY)),
        (14 * DAY, 3, Expire("nothing was heard for 14 days")),
        (14 * DAY, 0, Expire("nothing was heard for 14 days")),
        (400 * DAY, 1, Expire("nothing was heard for 14 days")),
    ],
)
def test_the_timetable(after: timedelta, reminded: int, step: object) -> None:
    assert next_step(HEARD, reminded, HEARD + after) == step


def test_the_reminders_rise_and_end_before_the_patience() -> None:
    assert list(REMIND_AFTER) == sorted(set(REMIND_AFTER))
    assert REMIND_AFTER[-1] < PATIENCE


@given(st.lists(st.timedeltas(timedelta(0), PATIENCE), max_size=10))
def test_the_watch_always_ends_after_the_patience_and_reminds_in_order(late: list[timedelta]) -> None:
    """The engine may wake us late by any amount: it may cost reminders, never their order nor the end."""
    now, reminders = HEARD, list[int]()
    for _ in range(2 * len(REMIND_AFTER) + 2):
        match next_step(HEARD, len(reminders), now):
            case Expire():
                assert now >= HEARD + PATIENCE
                assert reminders == sorted(set(reminders))
                return
            case Remind(number):
                assert number == len(reminders) + 1
                assert now >= HEARD + REMIND_AFTER[number - 1]
                reminders.append(number)
            case Wait(until):
                assert now < until <= HEARD + PATIENCE
                now = until + (late.pop() if late else timedelta(0))
    pytest.fail("the watch did not end")


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=13)), max_size=8))
def test_every_sign_of_life_starts_the_patience_anew(silences: list[timedelta]) -> None:
    heard = HEARD
    for silence in silences:
        now = heard + silence
        assert not isinstance(next_step(heard, 0, now), Expire)
        heard = now
    assert isinstance(next_step(heard, 0, heard + PATIENCE), Expire)
