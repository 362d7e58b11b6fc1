"""Typed calls: one, each, retried, and a workflow that starts over."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.durable.calls import ActivityCall, Context, Workflow, WorkflowCall, each
from shared.durable.clock import now
from shared.durable.events import Event, TimedOut, first_of
from shared.durable.status import report
from tests.workflows.driver import Answer, Play, WorkflowFailed, answering

START = datetime(2026, 3, 1, tzinfo=UTC)
double = ActivityCall("double", int, int)
hasty = ActivityCall("hasty", int, int, retry=None)
work = WorkflowCall("work", int, list[int])
TICK = Event("tick", int)


def doubling(count: int, flaw: Exception | None = None, times: int = 0) -> Answer[int, int]:
    """Fails `times` times before it works."""
    left = iter([flaw] * times)

    def function(number: int) -> int:
        if error := next(left, None):
            raise error
        return number * count

    return Answer(double, function)


def doubles_each(ctx: Context, count: int) -> Workflow[list[int]]:
    return (yield from each(double, ctx, range(count)))


@pytest.mark.parametrize("count", [0, 1, 2, 200])
def test_each_gives_every_reply_in_the_order_of_the_requests(count: int) -> None:
    play = Play(work, doubles_each, answering(doubling(2)), START)
    play.start(count)
    play.settle()
    assert play.reply == [2 * n for n in range(count)]
    assert len(play.calls) == count


def test_each_calls_all_at_once() -> None:
    play = Play(work, doubles_each, answering(doubling(2)), START)
    play.start(10)
    play.batch()
    assert len(play.calls) == 10


def test_an_activity_that_heals_is_tried_again_after_a_pause() -> None:
    play = Play(work, doubles_each, answering(doubling(2, OSError("storage is away"), times=3)), START)
    play.start(1)
    play.live(timedelta(seconds=5 + 10 + 20))
    assert play.reply == [0]
    assert len(play.calls) == 4


def test_patience_ends_after_eight_tries() -> None:
    play = Play(work, doubles_each, answering(doubling(2, OSError("storage is away"), times=99)), START)
    play.start(1)
    with pytest.raises(WorkflowFailed, match="storage is away"):
        play.live(timedelta(hours=1))
    assert len(play.calls) == 8


def test_a_call_without_retry_fails_at_once() -> None:
    def calls_once(ctx: Context, count: int) -> Workflow[list[int]]:
        return [(yield from hasty(ctx, count))]

    def fails(_number: int) -> int:
        raise OSError("storage is away")

    play = Play(work, calls_once, answering(Answer(hasty, fails)), START)
    play.start(1)
    with pytest.raises(WorkflowFailed, match="storage is away"):
        play.settle()
    assert len(play.calls) == 1


def counts_ticks(ctx: Context, left: int) -> Workflow[list[int] | None]:
    report(ctx, left, int)
    if left == 0:
        return [ctx.current_utc_datetime.hour]
    got = yield from first_of(ctx, (TICK,), now(ctx) + timedelta(days=1))
    assert not isinstance(got, TimedOut)
    work.again(ctx, left - 1)
    return None


def test_starting_over_forgets_the_history_and_keeps_the_state() -> None:
    play = Play(work, counts_ticks, {}, START)
    play.start(3)
    play.settle()
    for left in (3, 2, 1):
        assert play.status == left
        play.tell(TICK, 1)
    assert (play.reply, play.runs) == ([0], 4)


def test_events_that_wait_are_carried_over_when_a_workflow_starts_over() -> None:
    play = Play(work, counts_ticks, {}, START)
    play.start(3)
    for _ in range(3):
        play.put(TICK, 1)
    play.settle()
    assert (play.reply, play.runs) == ([0], 4)


def test_the_clock_of_a_workflow_is_aware_and_stands_still_while_it_decides() -> None:
    def tells_time(ctx: Context, _count: int) -> Workflow[list[int]]:
        before = now(ctx)
        yield from double(ctx, 1)
        assert before == START
        assert now(ctx).tzinfo is UTC
        return []

    play = Play(work, tells_time, answering(doubling(2)), START)
    play.start(0)
    play.settle()
    assert play.ended
