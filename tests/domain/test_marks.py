"""Holds, pins, and snapshots that are taken back while there is time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.commits import TAKE_BACK, Hold, Snapshot
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.ids import AccountId, HoldId, UserId
from shared.domain.marks import (
    MAX_HOLDS,
    SnapshotExpired,
    held,
    pinned,
    refuse_if_expired,
    released,
    taken_back,
    unpinned,
)
from shared.domain.retention import Policies, Verdict, judge, restore_point
from tests.domain.points import LAPTOP, NOTHING, NOW, point

SECOND = timedelta(seconds=1)
SNAPSHOT = Snapshot(point(1, NOW).id, AccountId.of_number(1), LAPTOP, NOW - timedelta(days=99), "0" * 64, 1, 9, 1, 9, 1)
EXPIRED = replace(SNAPSHOT, expired_at=NOW)


def hold(number: int = 1, *, by_provider: bool = False) -> Hold:
    return Hold(HoldId.of_number(number), "file 7", UserId.of_number(1), by_provider, NOW + SECOND)


def test_taking_back_pins_or_the_next_sweep_would_expire_it_again() -> None:
    back = taken_back(EXPIRED, NOW + TAKE_BACK - SECOND)
    assert (back.expired_at, back.pinned) == (None, True)
    (judgement,) = judge([restore_point(back)], Policies(NOTHING), NOW + timedelta(days=999), frozenset())
    assert (judgement.verdict, judgement.reasons) == (Verdict.KEEP, ("pinned",))


def test_when_the_grace_is_over_nothing_brings_it_back() -> None:
    over = NOW + TAKE_BACK
    for change in (lambda: taken_back(EXPIRED, over), lambda: held(EXPIRED, replace(hold(), placed_at=over))):
        with pytest.raises(SnapshotExpired, match="over"):
            change()


def test_taking_back_what_is_not_expired_changes_nothing() -> None:
    assert taken_back(SNAPSHOT, NOW) == SNAPSHOT


def test_an_expired_snapshot_is_not_restored_and_not_pinned() -> None:
    refuse_if_expired(SNAPSHOT)
    for change in (refuse_if_expired, pinned):
        with pytest.raises(SnapshotExpired, match="until 2026-11-22 03:00 UTC"):
            change(EXPIRED)


def test_a_hold_takes_an_expired_snapshot_back() -> None:
    back = held(EXPIRED, hold())
    assert back == replace(SNAPSHOT, holds=(hold(),))
    assert restore_point(back).held == ("file 7",)


def test_a_hold_is_placed_once_however_often_it_is_asked_for() -> None:
    once = held(SNAPSHOT, hold())
    assert held(once, replace(hold(), placed_at=NOW + 9 * SECOND)) == once


def test_the_other_holds_stay_when_one_is_released() -> None:
    two = held(held(SNAPSHOT, hold(1)), hold(2))
    assert released(two, hold(1).id, by_provider=False).holds == (hold(2),)
    with pytest.raises(NotFound):
        released(two, HoldId.of_number(3), by_provider=True)


def test_what_the_provider_holds_only_the_provider_releases() -> None:
    by_provider = held(SNAPSHOT, hold(by_provider=True))
    with pytest.raises(Forbidden):
        released(by_provider, hold().id, by_provider=False)
    assert released(by_provider, hold().id, by_provider=True) == SNAPSHOT


def test_holds_have_a_limit() -> None:
    full = replace(SNAPSHOT, holds=tuple(hold(n) for n in range(MAX_HOLDS)))
    with pytest.raises(Conflict):
        held(full, hold(MAX_HOLDS))


def test_pins_come_and_go() -> None:
    assert unpinned(pinned(pinned(SNAPSHOT))) == unpinned(SNAPSHOT) == SNAPSHOT
