"""The watch over a first backup, played by hand through every path (N8)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrators.seeding import STEPS_A_RUN, seed_device
from shared.contracts import seeding as contract
from shared.contracts.seeding import CANCELLED, COMMITTED, PROGRESSED, SeedingEnded
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.seeding import Progress, SeedingState
from tests.workflows.driver import Answer, Play, answering

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ACCOUNT, DEVICE = AccountId.make(START, bytes(10)), DeviceId.make(START, bytes(10))
SNAPSHOT = SessionId.make(START, b"\x01" * 10)
WATCH = contract.SeedDevice(ACCOUNT, DEVICE, heard_at=START)
type Watch = Play[contract.SeedDevice, SeedingEnded]


@dataclass(slots=True)
class World:
    """What the activities see and do."""

    snapshot: SessionId | None = None
    row: SeedingState = SeedingState.WAITING
    reminders: list[tuple[int, datetime]] = field(default_factory=list[tuple[int, datetime]])

    def look(self, _order: contract.LookForSnapshot) -> contract.SnapshotFound:
        return contract.SnapshotFound(self.snapshot)

    def remind(self, order: contract.RemindCustomer) -> contract.CustomerReminded:
        self.reminders.append((order.number, order.silent_since))
        return contract.CustomerReminded(len(self.reminders))

    def close(self, order: contract.CloseSeeding) -> contract.SeedingClosed:
        if self.row is SeedingState.WAITING:
            self.row = order.state
        return contract.SeedingClosed(self.row)


@pytest.fixture
def world() -> World:
    return World()


def watching(world: World, watch: contract.SeedDevice = WATCH) -> Watch:
    answers = answering(
        Answer(contract.look_for_snapshot, world.look),
        Answer(contract.remind_customer, world.remind),
        Answer(contract.close_seeding, world.close),
    )
    play = Play(contract.seed_device, seed_device, answers, watch.heard_at)
    play.start(watch)
    play.settle()
    return play


def ended(play: Watch) -> SeedingEnded:
    assert play.reply is not None, "the watch goes on"
    return play.reply


def closings(play: Watch) -> list[Any]:
    return [request for name, request in play.calls if name == contract.close_seeding.name]


def test_a_commit_ends_the_watch_as_seeded(world: World) -> None:
    play = watching(world)
    play.live(5 * HOUR)
    play.tell(COMMITTED, contract.SnapshotCommitted(SNAPSHOT))
    assert ended(play) == SeedingEnded(SeedingState.SEEDED, f"snapshot {SNAPSHOT} was committed")
    assert [closing["at"] for closing in closings(play)] == ["2026-03-01T05:00:00Z"]
    assert world.reminders == []


def test_a_cancellation_ends_the_watch_and_says_who(world: World) -> None:
    play = watching(world)
    play.tell(CANCELLED, contract.SeedingCancelled("user anna"))
    assert ended(play) == SeedingEnded(SeedingState.CANCELLED, "cancelled by user anna")


def test_a_commit_and_a_cancellation_in_one_batch_end_the_watch_once(world: World) -> None:
    play = watching(world)
    play.put(CANCELLED, contract.SeedingCancelled("user anna"))
    play.put(COMMITTED, contract.SnapshotCommitted(SNAPSHOT))
    play.settle()
    assert ended(play).state is SeedingState.CANCELLED
    assert len(closings(play)) == 1


def test_the_customer_is_reminded_on_days_one_three_and_seven(world: World) -> None:
    play = watching(world)
    days = list[int]()
    for day in range(1, 14):
        before = len(world.reminders)
        play.live(DAY)
        days += [day] * (len(world.reminders) - before)
    assert days == [1, 3, 7]
    assert world.reminders == [(1, START), (2, START), (3, START)]


def test_fourteen_silent_days_end_the_watch_as_expired(world: World) -> None:
    play = watching(world)
    play.live(14 * DAY - timedelta(seconds=1))
    assert not play.ended
    play.live(timedelta(seconds=1))
    assert ended(play) == SeedingEnded(SeedingState.EXPIRED, "nothing was heard for 14 days")
    assert world.row is SeedingState.EXPIRED


def test_progress_starts_the_patience_and_the_reminders_anew(world: World) -> None:
    play = watching(world)
    play.live(4 * DAY)
    play.tell(PROGRESSED, contract.ProgressMade(Progress(10, 100)))
    assert play.status["progress"] == {"done_bytes": 10, "total_bytes": 100}
    play.live(13 * DAY)
    assert not play.ended, "thirteen days of silence since the last progress"
    heard = START + 4 * DAY
    assert world.reminders == [(1, START), (2, START), (1, heard), (2, heard), (3, heard)]
    play.live(DAY)
    assert ended(play).state is SeedingState.EXPIRED


def test_the_status_tells_progress_and_what_comes_next(world: World) -> None:
    play = watching(world)
    assert play.status == {
        "progress": {"done_bytes": 0, "total_bytes": 0},
        "next_step_at": "2026-03-02T00:00:00Z",
        "reminded": 0,
    }
    play.live(2 * DAY)
    assert (play.status["next_step_at"], play.status["reminded"]) == ("2026-03-04T00:00:00Z", 1)


def test_a_commit_whose_event_was_lost_is_found_in_the_table(world: World) -> None:
    play = watching(world)
    world.snapshot = SNAPSHOT
    play.live(DAY)
    assert ended(play) == SeedingEnded(SeedingState.SEEDED, f"snapshot {SNAPSHOT} was found")
    assert world.reminders == []


def test_the_row_has_the_last_word_on_how_it_ended(world: World) -> None:
    play = watching(world)
    world.row = SeedingState.SEEDED
    play.live(14 * DAY)
    assert ended(play).state is SeedingState.SEEDED


def test_a_watch_that_starts_late_expires_at_once(world: World) -> None:
    """The reconciler restarts what got lost: the time that passed meanwhile counts."""
    play = Play(contract.seed_device, seed_device, watching(world).answers, START + 20 * DAY)
    play.start(WATCH)
    play.settle()
    assert ended(play).state is SeedingState.EXPIRED


def test_after_fifty_steps_the_watch_starts_over_and_keeps_its_state(world: World) -> None:
    play = watching(world)
    for step in range(1, STEPS_A_RUN + 1):
        play.live(HOUR)
        play.tell(PROGRESSED, contract.ProgressMade(Progress(step, 100)))
    assert play.runs == 2
    assert len(play.history) < 10, "the new run has a short history"
    assert play.status["progress"]["done_bytes"] == STEPS_A_RUN
    play.live(14 * DAY - timedelta(seconds=1))
    assert not play.ended
    play.live(timedelta(seconds=1))
    assert ended(play).state is SeedingState.EXPIRED
    assert [number for number, _ in world.reminders] == [1, 2, 3]


def test_a_commit_that_comes_while_the_watch_starts_over_is_not_lost(world: World) -> None:
    play = watching(world)
    for step in range(STEPS_A_RUN):
        play.put(PROGRESSED, contract.ProgressMade(Progress(step, 100)))
    play.put(COMMITTED, contract.SnapshotCommitted(SNAPSHOT))
    play.settle()
    assert ended(play) == SeedingEnded(SeedingState.SEEDED, f"snapshot {SNAPSHOT} was committed")


def test_a_storm_of_progress_keeps_every_history_short(world: World) -> None:
    play = watching(world)
    longest = 0
    for step in range(4 * STEPS_A_RUN):
        play.tell(PROGRESSED, contract.ProgressMade(Progress(step, 1000)))
        longest = max(longest, len(play.history))
    assert play.runs == 5
    assert longest < 5 * STEPS_A_RUN


def test_an_activity_that_fails_for_a_while_delays_the_end_and_does_not_change_it(world: World) -> None:
    play = watching(world)
    closes, failures = play.answers[contract.close_seeding.name], iter([OSError("storage is away")] * 3)

    def stumbles(order: contract.CloseSeeding) -> contract.SeedingClosed:
        if error := next(failures, None):
            raise error
        return world.close(order)

    play.answers = {**play.answers, closes.call.name: replace(closes, function=stumbles)}
    play.tell(COMMITTED, contract.SnapshotCommitted(SNAPSHOT))
    assert not play.ended
    play.live(HOUR)
    assert ended(play).state is SeedingState.SEEDED
    assert len({closing["at"] for closing in closings(play)}) == 1, "every try closes with the same time"
