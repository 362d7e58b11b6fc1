"""`first_of`: one winner, losers that take nothing with them, and a deadline."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.durable.calls import ActivityCall, Context, Workflow, WorkflowCall
from shared.durable.clock import now
from shared.durable.events import Event, TimedOut, first_of
from tests.workflows.driver import Answer, Play, answering

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    value: int


WORD = Event("word", Word)
NUMBER = Event("number", Number)
listen = WorkflowCall("listen", int, list[str])
type Telling = Callable[[Play[int, list[str]]], None]


def listens(ctx: Context, rounds: int) -> Workflow[list[str]]:
    """Waits an hour at most, `rounds` times, and tells what it heard when."""
    heard = list[str]()
    for _ in range(rounds):
        outcome = yield from first_of(ctx, (WORD, NUMBER), now(ctx) + HOUR)
        match outcome:
            case Word(text):
                heard.append(text)
            case Number(value):
                heard.append(str(value))
            case TimedOut():
                heard.append(f"nothing until {now(ctx):%H:%M}")
    return heard


def listening(rounds: int) -> Play[int, list[str]]:
    play = Play(listen, listens, {}, START)
    play.start(rounds)
    return play


@pytest.mark.parametrize("first", [0, 1])
def test_the_event_that_comes_first_wins(first: int) -> None:
    play = listening(1)
    play.settle()
    tellings: list[Telling] = [lambda p: p.tell(WORD, Word("hello")), lambda p: p.tell(NUMBER, Number(7))]
    tellings[first](play)
    assert play.reply == [["hello"], ["7"]][first]


def test_without_any_event_the_deadline_ends_the_wait() -> None:
    play = listening(1)
    play.live(HOUR - timedelta(seconds=1))
    assert not play.ended
    play.live(timedelta(seconds=1))
    assert play.reply == ["nothing until 01:00"]


def test_a_loser_does_not_swallow_a_later_event() -> None:
    play = listening(3)
    play.settle()
    play.tell(WORD, Word("one"))
    play.tell(NUMBER, Number(2))
    play.tell(WORD, Word("three"))
    assert play.reply == ["one", "2", "three"]


def test_after_a_time_out_the_next_wait_gets_the_event() -> None:
    play = listening(2)
    play.live(HOUR)
    play.tell(NUMBER, Number(2))
    assert play.reply == ["nothing until 01:00", "2"]


def test_events_that_came_before_anybody_waited_are_kept_in_their_order() -> None:
    play = listening(3)
    play.put(WORD, Word("one"))
    play.put(WORD, Word("two"))
    play.put(WORD, Word("three"))
    play.settle()
    assert play.reply == ["one", "two", "three"]
    assert play.alarms == {}, "a wait that was won at once leaves no timer behind"


def test_of_events_that_wait_already_the_first_in_the_list_wins_and_the_other_is_kept() -> None:
    """Both came while the workflow was busy: taking one must not take the other with it."""
    busy = ActivityCall("busy", int, int)

    def works_first(ctx: Context, rounds: int) -> Workflow[list[str]]:
        yield from busy(ctx, 0)
        return (yield from listens(ctx, rounds))

    play = Play(listen, works_first, answering(Answer(busy, abs)), START)
    play.start(3)
    play.batch()
    done, play.pending = play.pending, []
    play.put(NUMBER, Number(1))
    play.put(NUMBER, Number(2))
    play.put(WORD, Word("three"))
    play.batch()
    play.pending = done
    play.settle()
    assert play.reply == ["three", "1", "2"]


@pytest.mark.parametrize("event_first", [True, False])
def test_an_event_and_the_deadline_in_one_batch_lose_nothing(event_first: bool) -> None:
    play = listening(2)
    play.settle()
    if event_first:
        play.put(WORD, Word("one"))
    play.ring()
    if not event_first:
        play.put(WORD, Word("one"))
    play.settle()
    play.live(3 * HOUR)
    assert play.reply == (["one", "nothing until 02:00"] if event_first else ["nothing until 01:00", "one"])


def test_two_events_in_one_batch_are_both_heard() -> None:
    play = listening(2)
    play.settle()
    play.put(WORD, Word("one"))
    play.put(NUMBER, Number(2))
    play.settle()
    assert play.reply == ["one", "2"]


def test_the_timer_of_a_won_wait_does_not_end_the_next_one() -> None:
    play = listening(2)
    play.live(HOUR / 2)
    play.tell(WORD, Word("one"))
    play.live(HOUR * 3 / 4)
    assert not play.ended, "the first wait's deadline has passed, the second one's has not"
    play.live(HOUR)
    assert play.reply == ["one", "nothing until 01:30"]


def test_a_deadline_in_the_past_times_out_at_once() -> None:
    def late(ctx: Context, _rounds: int) -> Workflow[list[str]]:
        outcome = yield from first_of(ctx, (WORD,), START - HOUR)
        return [type(outcome).__name__]

    play = Play(listen, late, {}, START)
    play.start(1)
    play.live(timedelta(0))
    assert play.reply == ["TimedOut"]


def test_a_long_deadline_is_kept_to_the_second() -> None:
    """The SDK cuts long timers into pieces: 400 days must still be 400 days."""

    def patient(ctx: Context, _rounds: int) -> Workflow[list[str]]:
        yield from first_of(ctx, (WORD,), START + timedelta(days=400))
        return [now(ctx).isoformat()]

    play = Play(listen, patient, {}, START)
    play.start(1)
    play.live(timedelta(days=500))
    assert play.reply == [(START + timedelta(days=400)).isoformat()]
