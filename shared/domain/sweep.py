"""What a sweep may take away, and when: decisions without I/O (design 5.4 and 5.5)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.commits import Batch, VaultState
from shared.domain.sessions import BackupSession, SessionState

GRACE = timedelta(hours=24)
"""Between condemning and deleting, between expiry and removal, between the end of a session and its clearing away."""
PUNCTUAL = timedelta(hours=1)
MAX_BATCHES = 8
"""A session that stays open for weeks must not make the state grow night by night: the last two become one."""


@dataclass(frozen=True, slots=True)
class Ripe:
    """The packs of this batch that a second mark finds unreferenced may be deleted."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Waits:
    batch: Batch
    reason: str


def ripeness(batch: Batch, sessions: Iterable[BackupSession], at: datetime) -> Ripe | Waits:
    """Epoch and grace spare honest agents a second upload; safety rests on the commit's check and the state's ETag."""
    if at < batch.at + GRACE:
        return Waits(batch, f"condemned at {batch.at:%Y-%m-%d %H:%M}, in grace until {batch.at + GRACE:%Y-%m-%d %H:%M}")
    for session in sessions:
        if session.state is SessionState.OPEN and session.epoch <= batch.epoch:
            return Waits(batch, f"backup session {session.id} was opened before they were condemned and still runs")
    return Ripe(batch)


def condemned(state: VaultState, packs: str, count: int, at: datetime) -> VaultState:
    """Whoever opens a session from now on is told not to reuse these packs."""
    batch = Batch(packs, count, state.epoch, at)
    return replace(state, epoch=state.epoch + 1, condemned=(*state.condemned, batch))


def to_be_joined(state: VaultState) -> Batch | None:
    """The batch that the next one must take up, with its packs, so that their number stays bounded."""
    return state.condemned[-1] if len(state.condemned) >= MAX_BATCHES else None


def doomed(state: VaultState, ripe: Iterable[Batch], packs: str | None, count: int, at: datetime) -> VaultState:
    """From here on no commit may count on these packs, and nothing brings them back. `None`: all were spared."""
    assert state.deleting is None, "what an earlier sweep was deleting comes first"
    over = frozenset(ripe)
    left = tuple(batch for batch in state.condemned if batch not in over)
    return replace(state, condemned=left, deleting=packs and Batch(packs, count, state.epoch, at))


def deleted(state: VaultState, tombstones: str) -> VaultState:
    """The packs that were being deleted are gone; `tombstones` names them and all before them."""
    return replace(state, deleting=None, deleted=tombstones)


def dated(at: datetime, now: datetime) -> datetime:
    """The night's own time, so that a night later is a day later; if it is late by hours, no day is cut short."""
    return at if now < at + PUNCTUAL else now


def is_garbage(session: BackupSession, at: datetime) -> bool:
    """Never to be committed, and long enough ended that no grant it was given is alive."""
    ended = session.state in (SessionState.FENCED, SessionState.ABANDONED)
    return ended and session.ended_at is not None and at >= session.ended_at + GRACE
