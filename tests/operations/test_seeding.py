"""The record of a first backup is the truth; the workflow may be lost and is started again (N8)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from shared.contracts.seeding import (
    CloseSeeding,
    CustomerReminded,
    LookForSnapshot,
    RemindCustomer,
    SeedingClosed,
    SnapshotFound,
    instance_of,
)
from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import SessionId
from shared.domain.seeding import Progress, Seeding, SeedingState
from shared.durable.engine import Engine
from shared.operations import seeding
from tests.conftest import Clock
from tests.durable.backend import running_engine
from tests.operations.world import World


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Nothing works on it: what is started waits."""
    with running_engine() as (engine, _):
        yield engine


def row(world: World) -> Seeding:
    stored = world.services.seedings.get(world.id, world.caller.id)
    assert stored is not None
    return stored.value


def begin(world: World, engine: Engine) -> SessionId:
    session = world.open()
    seeding.begin(world.services, engine, world.caller, session)
    return session


def close(world: World, state: SeedingState = SeedingState.EXPIRED) -> SeedingClosed:
    order = CloseSeeding(world.id, world.caller.id, state, world.services.now())
    return seeding.close_seeding(world.services, order)


def remind(world: World, number: int) -> CustomerReminded:
    order = RemindCustomer(world.id, world.caller.id, number, world.services.now())
    return seeding.remind_customer(world.services, order)


def test_the_first_session_starts_the_watch(world: World, engine: Engine, clock: Clock) -> None:
    session = begin(world, engine)
    assert engine.is_under_way(instance_of(world.caller.id))
    assert (row(world).state, row(world).session, row(world).heard_at) == (SeedingState.WAITING, session, clock.at)


def test_a_second_session_starts_no_second_watch(world: World, engine: Engine, clock: Clock) -> None:
    begin(world, engine)
    state = engine.client.get_orchestration_state(instance_of(world.caller.id))
    clock.move(timedelta(hours=1))
    begin(world, engine)
    again = engine.client.get_orchestration_state(instance_of(world.caller.id))
    assert state is not None
    assert again is not None
    assert again.created_at == state.created_at
    assert row(world).started_at == clock.at - timedelta(hours=1)


def test_a_watch_that_was_lost_counts_its_silence_from_the_new_session(
    world: World, engine: Engine, clock: Clock
) -> None:
    """Else a device that comes back after twenty days would be given up at the very moment it is heard of."""
    begin(world, engine)
    clock.move(timedelta(days=20))
    session = begin(world, engine)
    assert (row(world).heard_at, row(world).session) == (clock.at, session)


def test_a_device_that_was_given_up_is_taken_up_again(world: World, engine: Engine, clock: Clock) -> None:
    begin(world, engine)
    assert close(world) == SeedingClosed(SeedingState.EXPIRED)
    clock.move(timedelta(days=20))
    begin(world, engine)
    assert row(world).state is SeedingState.WAITING
    assert (row(world).started_at, row(world).ended_at) == (clock.at, None)


def test_a_device_that_has_a_snapshot_is_not_watched(world: World, engine: Engine) -> None:
    world.backed_up()
    begin(world, engine)
    assert world.services.seedings.get(world.id, world.caller.id) is None
    assert not engine.is_under_way(instance_of(world.caller.id))


def test_news_of_a_device_that_is_not_watched_is_no_fault(world: World, engine: Engine) -> None:
    snapshot, _ = world.backed_up()
    seeding.tell_progress(world.services, engine, world.caller, Progress(1, 2))
    seeding.tell_committed(world.services, engine, snapshot)


def test_what_was_not_begun_cannot_be_seen_cancelled_reminded_or_closed(world: World, engine: Engine) -> None:
    acts = [
        partial(seeding.see, world.services, engine, world.id, world.caller.id),
        partial(seeding.cancel, world.services, engine, world.id, world.caller.id, "anna"),
        partial(remind, world, 1),
        partial(close, world),
    ]
    for act in acts:
        with pytest.raises(NotFound, match="not begun"):
            act()


def test_what_has_ended_cannot_be_cancelled(world: World, engine: Engine) -> None:
    begin(world, engine)
    seeding.cancel(world.services, engine, world.id, world.caller.id, "anna")
    close(world, SeedingState.CANCELLED)
    with pytest.raises(Conflict, match="cancelled already"):
        seeding.cancel(world.services, engine, world.id, world.caller.id, "anna")


def test_a_snapshot_is_found_only_for_the_device_that_made_it(world: World) -> None:
    order = LookForSnapshot(world.id, world.caller.id)
    assert seeding.look_for_snapshot(world.services, order) == SnapshotFound(None)
    snapshot, _ = world.backed_up()
    assert seeding.look_for_snapshot(world.services, order) == SnapshotFound(snapshot.id)
    other = LookForSnapshot(world.id, world.add_device().caller.id)
    assert seeding.look_for_snapshot(world.services, other) == SnapshotFound(None)


def test_a_reminder_delivered_twice_counts_once(world: World, engine: Engine) -> None:
    begin(world, engine)
    assert [remind(world, number).reminders for number in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 2]
    assert row(world).reminders == 2


def test_closing_twice_keeps_how_and_when_it_ended(world: World, engine: Engine, clock: Clock) -> None:
    begin(world, engine)
    first = close(world)
    ended = row(world)
    clock.move(timedelta(days=1))
    assert [close(world), close(world, SeedingState.CANCELLED)] == [first, first]
    assert row(world) == ended


@pytest.mark.parametrize("state", [SeedingState.EXPIRED, SeedingState.CANCELLED])
def test_a_snapshot_that_came_at_the_last_moment_wins(world: World, engine: Engine, state: SeedingState) -> None:
    begin(world, engine)
    world.backed_up()
    assert close(world, state) == SeedingClosed(SeedingState.SEEDED)
    assert row(world).state is SeedingState.SEEDED


def test_closings_that_race_agree(world: World, engine: Engine) -> None:
    begin(world, engine)
    states = [SeedingState.EXPIRED, SeedingState.CANCELLED] * 2
    with ThreadPoolExecutor(4) as pool:
        closed = set(pool.map(partial(close, world), states))
    assert closed == {SeedingClosed(row(world).state)}
