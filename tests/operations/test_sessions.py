"""Opening, renewing and giving up a session: safe to repeat, and refused once it has ended (design 5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from shared.domain.errors import NotFound
from shared.domain.grants import LIFE
from shared.domain.ids import SessionId
from shared.domain.sessions import LEASE, RENEWABLE_FOR, SessionClosed, SessionState
from shared.operations import sessions
from tests.conftest import Clock
from tests.operations.world import World, make


def test_an_opening_tells_all_that_an_agent_needs(world: World, clock: Clock) -> None:
    snapshot, packs = world.backed_up(3)
    world.condemn([packs[0].name])
    world.delete([packs[1].name])
    opening = sessions.open_session(world.services, world.caller, world.services.new(SessionId))
    assert opening.session.state is SessionState.OPEN
    assert opening.session.epoch == 1
    assert opening.session.lease_until == clock.at + LEASE
    assert opening.grant.expires_at == clock.at + LIFE
    assert [(index.session, index.segments) for index in opening.live_indexes] == [(snapshot.id, 1)]
    assert opening.do_not_reuse == {packs[0].name, packs[1].name}


def test_opening_twice_with_one_id_is_opening_once(world: World, clock: Clock) -> None:
    session = world.services.new(SessionId)
    first = sessions.open_session(world.services, world.caller, session)
    clock.move(timedelta(minutes=1))
    etag = world.state().etag
    again = sessions.open_session(world.services, world.caller, session)
    assert again.session == first.session
    assert world.state().etag == etag


def test_one_id_opened_by_many_at_once_is_one_session(world: World) -> None:
    session = world.services.new(SessionId)
    with ThreadPoolExecutor(4) as pool:
        openings = list(pool.map(partial(sessions.open_session, world.services, world.caller), [session] * 4))
    assert {opening.session.id for opening in openings} == {session}


def test_sessions_opened_at_once_are_all_there(world: World) -> None:
    ids = [world.services.new(SessionId) for _ in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(partial(sessions.open_session, world.services, world.caller), ids))
    assert {world.session(session).state for session in ids} == {SessionState.OPEN}


def test_opening_with_the_id_of_another_device_s_session_is_refused(world: World) -> None:
    session = world.open(world.add_device())
    with pytest.raises(NotFound):
        sessions.open_session(world.services, world.caller, session)


def test_opening_again_after_the_end_is_refused_and_grants_nothing(world: World) -> None:
    session = world.open()
    ended = sessions.abandon(world.services, world.caller, session)
    with pytest.raises(SessionClosed, match="abandoned"):
        sessions.open_session(world.services, world.caller, session)
    assert world.session(session) == ended


def test_opening_again_after_the_lease_is_refused(world: World, clock: Clock) -> None:
    session = world.open()
    clock.move(LEASE)
    with pytest.raises(SessionClosed, match="fenced"):
        sessions.open_session(world.services, world.caller, session)


def test_a_renewal_gives_more_time_and_a_fresh_grant(world: World, clock: Clock) -> None:
    session = world.open()
    clock.move(LEASE / 2)
    opening = sessions.renew(world.services, world.caller, session)
    assert opening.session == world.session(session)
    assert opening.session.lease_until == clock.at + LEASE
    assert opening.grant.expires_at == clock.at + LIFE


def test_no_grant_outlives_the_time_a_session_can_be_renewed_to(world: World, clock: Clock) -> None:
    session = world.open()
    limit = clock.at + RENEWABLE_FOR
    while clock.at < limit:
        opening = sessions.renew(world.services, world.caller, session)
        assert opening.grant.expires_at <= limit
        clock.move(LEASE - timedelta(minutes=1))
    with pytest.raises(SessionClosed):
        sessions.renew(world.services, world.caller, session)
    assert world.session(session).state is SessionState.FENCED


def test_a_late_renewal_is_refused_and_the_fence_is_written(world: World, clock: Clock) -> None:
    session = world.open()
    clock.move(LEASE)
    assert sessions.get(world.services, world.caller, session).state is SessionState.FENCED
    assert world.session(session).state is SessionState.OPEN, "looking writes nothing"
    with pytest.raises(SessionClosed, match="fenced"):
        sessions.renew(world.services, world.caller, session)
    assert world.session(session).state is SessionState.FENCED


def test_giving_up_twice_is_giving_up_once(world: World, clock: Clock) -> None:
    session = world.open()
    first = sessions.abandon(world.services, world.caller, session)
    clock.move(timedelta(hours=1))
    assert sessions.abandon(world.services, world.caller, session) == first == world.session(session)


def test_a_snapshot_is_never_given_up(world: World) -> None:
    snapshot, _ = world.backed_up()
    with pytest.raises(SessionClosed, match="committed"):
        sessions.abandon(world.services, world.caller, snapshot.id)
    assert world.services.vaults.snapshot(world.id, snapshot.id) == snapshot


def test_nobody_touches_another_device_s_session(world: World) -> None:
    session = world.open()
    for stranger in (world.add_device().caller, make(world.services).caller):
        for act in (sessions.get, sessions.renew, sessions.abandon):
            with pytest.raises(NotFound):
                act(world.services, stranger, session)
    assert world.session(session).state is SessionState.OPEN
