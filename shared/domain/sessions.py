"""The life of a backup session: open, and then committed, fenced or abandoned for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.errors import Conflict
from shared.domain.ids import AccountId, DeviceId, SessionId

LEASE = timedelta(hours=6)
RENEWABLE_FOR = timedelta(days=7)


class SessionState(StrEnum):
    OPEN = "open"
    COMMITTED = "committed"
    FENCED = "fenced"
    """The lease ran out: a late commit is refused."""
    ABANDONED = "abandoned"


TRANSITIONS: Mapping[SessionState, frozenset[SessionState]] = {
    SessionState.OPEN: frozenset({SessionState.COMMITTED, SessionState.FENCED, SessionState.ABANDONED}),
    SessionState.COMMITTED: frozenset(),
    SessionState.FENCED: frozenset(),
    SessionState.ABANDONED: frozenset(),
}


class SessionClosed(Conflict):
    """The session is not open any more; a new one must be opened."""

    def __init__(self, session: SessionId, state: SessionState) -> None:
        super().__init__(f"backup session {session} is {state}, not open")
        self.state = state


@dataclass(frozen=True, slots=True)
class BackupSession:
    id: SessionId
    account: AccountId
    device: DeviceId
    state: SessionState
    epoch: int
    """The account's epoch at the opening: what was condemned later may have been reused by this session (design 5)."""
    opened_at: datetime
    lease_until: datetime
    renewable_until: datetime
    ended_at: datetime | None = None
    index_segments: int = 0
    """Told by the commit; they outlive the snapshot while another one needs this session's packs."""


def opened(session: SessionId, account: AccountId, device: DeviceId, epoch: int, now: datetime) -> BackupSession:
    return BackupSession(
        id=session,
        account=account,
        device=device,
        state=SessionState.OPEN,
        epoch=epoch,
        opened_at=now,
        lease_until=now + LEASE,
        renewable_until=now + RENEWABLE_FOR,
    )


def as_of(session: BackupSession, now: datetime) -> BackupSession:
    """The session as it stands at `now`: open past its lease means fenced."""
    if session.state is SessionState.OPEN and now >= session.lease_until:
        return ended(session, SessionState.FENCED, now)
    return session


def renewed(session: BackupSession, now: datetime) -> BackupSession:
    _must_be_open(as_of(session, now))
    return replace(session, lease_until=min(now + LEASE, session.renewable_until))


def ended(session: BackupSession, state: SessionState, now: datetime) -> BackupSession:
    if state not in TRANSITIONS[session.state]:
        raise SessionClosed(session.id, session.state)
    return replace(session, state=state, ended_at=now)


def _must_be_open(session: BackupSession) -> None:
    if session.state is not SessionState.OPEN:
        raise SessionClosed(session.id, session.state)
