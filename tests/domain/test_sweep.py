"""When a sweep may take something away: grace, epochs, batches, garbage; each "not yet" with its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import sessions
from shared.domain.commits import Batch, VaultState
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.sessions import BackupSession, SessionState
from shared.domain.sweep import (
    GRACE,
    MAX_BATCHES,
    PUNCTUAL,
    Ripe,
    Waits,
    condemned,
    dated,
    deleted,
    doomed,
    is_garbage,
    ripeness,
    to_be_joined,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
ACCOUNT, DEVICE = AccountId.of_number(1), DeviceId.of_number(2)
EMPTY = VaultState(ACCOUNT)
OVER = sorted(set(SessionState) - {SessionState.OPEN})
ended_states = st.sampled_from(OVER)


def batch(epoch: int = 5, at: datetime = NOW - GRACE, packs: str = "set") -> Batch:
    return Batch(packs, 3, epoch, at)


def session(epoch: int, state: SessionState = SessionState.OPEN, number: int = 7) -> BackupSession:
    found = sessions.opened(SessionId.of_number(number), ACCOUNT, DEVICE, epoch, NOW - GRACE)
    return found if state is SessionState.OPEN else sessions.ended(found, state, NOW)


def reason(judged: Ripe | Waits) -> str:
    assert isinstance(judged, Waits), "it must wait"
    return judged.reason


def test_a_batch_is_ripe_exactly_when_its_grace_is_over() -> None:
    assert ripeness(batch(at=NOW - GRACE), [], NOW) == Ripe(batch())
    assert reason(ripeness(batch(at=NOW - GRACE + MOMENT), [], NOW)) == (
        "condemned at 2026-11-20 00:00, in grace until 2026-11-21 00:00"
    )


@pytest.mark.parametrize(("epoch", "waits"), [(4, True), (5, True), (6, False)])
def test_a_batch_waits_for_open_sessions_of_its_epoch_or_before(epoch: int, waits: bool) -> None:
    """The sweep that condemned raises the epoch in the same write: who opens later was told."""
    assert isinstance(ripeness(batch(epoch=5), [session(epoch)], NOW), Waits) is waits


def test_the_session_that_a_batch_waits_for_is_named() -> None:
    found = [session(5, SessionState.COMMITTED), session(6, number=8), session(5, number=9)]
    assert f"backup session {SessionId.of_number(9)} was opened before" in reason(ripeness(batch(), found, NOW))


@pytest.mark.parametrize("state", OVER)
def test_a_session_that_ended_holds_nothing_up(state: SessionState) -> None:
    assert isinstance(ripeness(batch(), [session(0, state)], NOW), Ripe)


def test_a_night_a_day_later_is_a_day_later_and_a_late_turn_cuts_nobodys_day_short() -> None:
    assert dated(NOW, NOW + PUNCTUAL - MOMENT) == NOW
    late = NOW + PUNCTUAL
    assert dated(NOW, late) == late


def test_condemning_raises_the_epoch_and_remembers_the_old_one() -> None:
    state = condemned(replace(EMPTY, epoch=5), "set", 3, NOW)
    assert (state.epoch, state.condemned) == (6, (Batch("set", 3, 5, NOW),))


@given(st.lists(st.booleans(), max_size=30))
def test_batches_are_in_the_order_of_their_epochs_and_their_number_is_bounded(nights: list[bool]) -> None:
    """Condemning on some nights, as the sweep does it: the last batch is taken up when there are too many."""
    state = EMPTY
    for night, finds in enumerate(nights):
        if finds:
            joined = to_be_joined(state)
            left = state if joined is None else replace(state, condemned=state.condemned[:-1])
            state = condemned(left, f"set of night {night}", 1, NOW + timedelta(days=night))
    epochs = [each.epoch for each in state.condemned]
    assert epochs == sorted(set(epochs))
    assert all(epoch < state.epoch for epoch in epochs)
    assert len(epochs) == min(sum(nights), MAX_BATCHES)


def test_only_a_full_row_of_batches_is_joined() -> None:
    batches = tuple(batch(epoch=n) for n in range(MAX_BATCHES))
    assert to_be_joined(replace(EMPTY, condemned=batches[:-1])) is None
    assert to_be_joined(replace(EMPTY, condemned=batches)) == batches[-1]


def test_what_is_doomed_leaves_the_condemned_and_the_others_wait_on() -> None:
    ripe, waits = batch(1, packs="ripe"), batch(2, packs="waits")
    state = doomed(replace(EMPTY, epoch=3, condemned=(ripe, waits)), [ripe], "doomed", 2, NOW)
    assert state.condemned == (waits,)
    assert state.deleting == Batch("doomed", 2, 3, NOW)


def test_when_all_were_spared_nothing_is_deleted() -> None:
    state = doomed(replace(EMPTY, condemned=(batch(),)), [batch()], None, 0, NOW)
    assert (state.condemned, state.deleting) == ((), None)


def test_nothing_is_doomed_before_the_last_deletion_is_done_with() -> None:
    with pytest.raises(AssertionError):
        doomed(replace(EMPTY, deleting=batch()), [], "set", 1, NOW)


def test_what_is_gone_stays_known_as_gone() -> None:
    state = deleted(replace(EMPTY, deleting=batch(packs="doomed"), deleted="earlier"), "earlier and doomed")
    assert (state.deleting, state.deleted) == (None, "earlier and doomed")
    assert state.on_their_way_out == ("earlier and doomed",)


def test_everything_on_its_way_out_is_told_to_sessions_that_open() -> None:
    state = replace(EMPTY, condemned=(batch(packs="a"), batch(packs="b")), deleting=batch(packs="c"), deleted="d")
    assert state.on_their_way_out == ("a", "b", "c", "d")


@pytest.mark.parametrize("state", [SessionState.FENCED, SessionState.ABANDONED])
def test_a_session_never_committed_is_garbage_a_day_after_its_end(state: SessionState) -> None:
    over = session(0, state)
    assert not is_garbage(over, NOW + GRACE - MOMENT), "a grant that it was given may be alive"
    assert is_garbage(over, NOW + GRACE)


@given(st.timedeltas(timedelta(0), timedelta(days=9999)))
def test_a_committed_or_open_session_is_never_garbage(later: timedelta) -> None:
    assert not is_garbage(session(0), NOW + later)
    assert not is_garbage(session(0, SessionState.COMMITTED), NOW + later)


@given(ended_states, st.integers(0, 9), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_ripe_batch_stays_ripe(state: SessionState, epoch: int, later: timedelta) -> None:
    """Sessions that open later are of a later epoch, and time does not run back."""
    found = [session(epoch, state), session(6)]
    assert isinstance(ripeness(batch(), found, NOW), Ripe)
    assert isinstance(ripeness(batch(), [*found, session(7)], NOW + later), Ripe)
