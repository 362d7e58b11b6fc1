"""Commits that meet each other, a sweep or an abandonment: one ETag puts them in order (design 5)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.sessions import SessionClosed, SessionState
from shared.operations import commits, sessions
from shared.operations.commits import PacksMissing
from shared.operations.contention import ATTEMPTS
from shared.storage.tables import Changed
from tests.operations.world import World, refused_as_it_was


def test_commits_that_race_all_end_well(world: World) -> None:
    orders = [world.ready() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        snapshots = list(pool.map(world.commit, orders))
    assert [snapshot.id for snapshot in snapshots] == [order.session for order in orders]
    assert {s.id for s in world.services.vaults.snapshots(world.id)} == {order.session for order in orders}


def test_one_commit_delivered_twice_at_once_is_one_snapshot(world: World) -> None:
    order = world.ready()
    with ThreadPoolExecutor(4) as pool:
        snapshots = list(pool.map(world.commit, [order] * 4))
    assert snapshots == [snapshots[0]] * 4


def judging_meets(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None], times: int = 1) -> None:
    """Between the reading of the facts and the commit's write, `meanwhile` happens."""
    left, judged = [times], commits.judge

    def judge(facts: commits.CommitFacts) -> object:
        verdict = judged(facts)
        if left[0]:
            left[0] -= 1
            meanwhile()
        return verdict

    monkeypatch.setattr(commits, "judge", judge)


def test_a_sweep_between_judgement_and_write_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, packs = world.backed_up(1)
    order = world.ready(packs)
    judging_meets(world, monkeypatch, lambda: world.delete([packs[0].name]))
    refused_as_it_was(world, order, PacksMissing, "being deleted")


def test_a_mark_between_judgement_and_write_is_undone_for_what_is_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, packs = world.backed_up(2)
    order = world.ready(packs[:1])
    judging_meets(world, monkeypatch, lambda: world.condemn(pack.name for pack in packs))
    world.commit(order)
    assert world.condemned() == {packs[1].name}


def test_an_abandonment_between_judgement_and_write_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order = world.ready()

    def abandon() -> None:
        sessions.abandon(world.services, world.caller, order.session)

    judging_meets(world, monkeypatch, abandon)
    with pytest.raises(SessionClosed, match="abandoned"):
        world.commit(order)


def test_a_commit_that_always_loses_gives_up_and_leaves_the_session_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.operations.contention.time.sleep", float)
    order = world.ready()
    judging_meets(world, monkeypatch, world.touch, times=ATTEMPTS)
    with pytest.raises(Changed):
        world.commit(order)
    assert world.session(order.session).state is SessionState.OPEN
    assert world.commit(order).id == order.session
