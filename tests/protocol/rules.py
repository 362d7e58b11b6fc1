"""The service's own decisions, asked with the model's values: nothing is decided here.

Each question is put to the real function once, and its answer remembered.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.domain import commits, marks, sessions, sweep
from shared.domain.catalogue import Catalogue, listed, packs_of, unreferenced, used
from shared.domain.commits import Batch, CommitFacts, Refused, VaultState
from shared.domain.ids import AccountId, DeviceId, HoldId, PackName, SessionId, UserId
from shared.domain.sessions import BackupSession, SessionState
from shared.domain.sweep import GRACE, Ripe
from shared.format.refs import PackRef, Refs, encode, mentions
from tests.protocol.values import CONTENTS, HOUR, RENEWABLE_HOURS, Heap, Row, Session, Snapshot, bits

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ACCOUNT, DEVICE = AccountId.of_number(1), DeviceId.of_number(2)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SIZE_BYTES = 1


@cache
def committable(session: int, needs: int, storage: int, committed: int, condemned: int, gone: int) -> tuple[bool, int]:
    """Whether the commit is accepted; the packs that live again, or those that are refused."""
    verdict = commits.judge(
        CommitFacts(
            session=session_id(session),
            needed=named(needs),
            there=named(storage),
            committed={session_id(n) for n in bits(committed)},
            condemned=named(condemned).keys(),
            deleting=named(gone).keys(),
        )
    )
    if isinstance(verdict, Refused):
        return False, numbered([missing.pack for missing in verdict.missing])
    return True, numbered(verdict.resurrected)


@cache
def is_ripe(heap: Heap, sessions: tuple[Session | None, ...], *, grace: bool) -> bool:
    rows = [real(n, session) for n, session in enumerate(sessions) if session]
    return isinstance(sweep.ripeness(_batch(heap), rows, NOW if grace else NOW + GRACE), Ripe)


@cache
def marked(kept: tuple[tuple[int, int], ...], indexes: tuple[tuple[int, int], ...]) -> int:
    """The packs of the committed sessions (number, index) that no kept snapshot (number, needs) refers to."""
    catalogue = Catalogue()
    for n, index in indexes:
        catalogue = listed(catalogue, session_id(n), sorted(named(index).items()))
    for snapshot, needs in kept:
        catalogue = used(catalogue, session_id(snapshot), sorted(named(needs).items()))
    use = unreferenced(catalogue, [session_id(n) for n, _ in kept], [session_id(n) for n, _ in indexes])
    return numbered([name for name, _ in packs_of(catalogue, use)])


@cache
def mentioned(snapshot: int, needs: int, packs: int) -> int:
    """Which of these packs the snapshot's refs speak of."""
    lines = tuple(PackRef(name, size) for name, size in sorted(named(needs).items()))
    text = encode(Refs(ACCOUNT, session_id(snapshot), DEVICE, "0" * 64, SIZE_BYTES, (), lines), KEY.sign)
    names = {str(name).encode(): name for name in named(packs)}
    return numbered([names[name] for name in mentions(text, names.keys())])


@cache
def condemned(row: Row, packs: int) -> Row:
    state = _state(row)
    joined = sweep.to_be_joined(state)
    if joined is not None:
        state = _state(row._replace(condemned=row.condemned[:-1]))
        packs |= int(joined.packs)
    return _row(sweep.condemned(state, str(packs), packs.bit_count(), NOW))


@cache
def doomed(row: Row, ripe: tuple[Heap, ...], packs: int) -> Row:
    doom = str(packs) if packs else None
    return _row(sweep.doomed(_state(row), map(_batch, ripe), doom, packs.bit_count(), NOW))


@cache
def deleted(row: Row) -> Row:
    return _row(sweep.deleted(_state(row), str(row.deleting | row.deleted)))


@cache
def as_of_now(session: Session) -> Session:
    return _modelled(sessions.as_of(real(0, session), NOW), session)


@cache
def renewed(session: Session) -> Session:
    """Raises `SessionClosed`."""
    return _modelled(sessions.renewed(real(0, session), NOW), session)


@cache
def ended(session: Session, state: SessionState) -> Session:
    """Raises `SessionClosed`."""
    return _modelled(sessions.ended(real(0, session), state, NOW), session)


@cache
def opened(epoch: int) -> Session:
    fresh = sessions.opened(session_id(0), ACCOUNT, DEVICE, epoch, NOW)
    return _modelled(fresh, Session(SessionState.OPEN, epoch, 0))


@cache
def is_garbage(session: Session) -> bool:
    return sweep.is_garbage(real(0, session), NOW)


@cache
def taken_back(snapshot: Snapshot) -> Snapshot | None:
    """`None`: it is too late."""
    return _marked(snapshot, lambda row: marks.taken_back(row, NOW))


@cache
def held(snapshot: Snapshot) -> Snapshot | None:
    """`None`: it is too late."""
    hold = commits.Hold(HoldId.of_number(3), "a lawsuit", UserId.of_number(4), by_provider=False, placed_at=NOW)
    return _marked(snapshot, lambda row: marks.held(row, hold))


@cache
def session_id(number: int) -> SessionId:
    return SessionId.of_number(number)


@cache
def named(packs: int) -> dict[PackName, int]:
    return {PackName(session_id(n // CONTENTS), f"{n % CONTENTS:064x}"): SIZE_BYTES for n in bits(packs)}


def numbered(names: frozenset[PackName] | list[PackName]) -> int:
    return sum(1 << CONTENTS * _number(name.session) + int(name.pack_id, 16) for name in names)


@cache
def _number(session: SessionId) -> int:
    return next(n for n in range(1 << 16) if session_id(n) == session)


@cache
def real(number: int, session: Session) -> BackupSession:
    return BackupSession(
        id=session_id(number),
        account=ACCOUNT,
        device=DEVICE,
        state=session.state,
        epoch=session.epoch,
        opened_at=_time(session.renewable - RENEWABLE_HOURS),
        lease_until=_time(session.lease),
        renewable_until=_time(session.renewable),
        ended_at=None if session.state is SessionState.OPEN else _time(session.ended),
    )


def _marked(snapshot: Snapshot, mark: Callable[[commits.Snapshot], commits.Snapshot]) -> Snapshot | None:
    expired_at = None if snapshot.expired is None else _time(snapshot.expired)
    row = commits.Snapshot(
        id=session_id(0),
        account=ACCOUNT,
        device=DEVICE,
        committed_at=NOW,
        refs_sha256="",
        packs=0,
        stored_bytes=0,
        new_packs=0,
        new_stored_bytes=0,
        index_segments=0,
        expired_at=expired_at,
        pinned=snapshot.held,
    )
    try:
        after = mark(row)
    except marks.SnapshotExpired:
        return None
    assert after.expired_at is None, "what is marked lives"
    return snapshot._replace(expired=None, held=after.pinned or bool(after.holds))


def _modelled(row: BackupSession, before: Session) -> Session:
    return before._replace(
        state=row.state,
        epoch=row.epoch,
        lease=_hours(row.lease_until),
        renewable=_hours(row.renewable_until),
        ended=0 if row.ended_at is None else _hours(row.ended_at),
    )


@cache
def _batch(heap: Heap) -> Batch:
    return Batch(str(heap.packs), heap.packs.bit_count(), heap.epoch, _time(heap.at))


@cache
def _state(row: Row) -> VaultState:
    batches = tuple(map(_batch, row.condemned))
    deleting = _batch(Heap(row.deleting, row.epoch, 0)) if row.deleting else None
    return VaultState(ACCOUNT, row.epoch, batches, deleting, str(row.deleted) if row.deleted else None)


def _row(state: VaultState) -> Row:
    heaps = tuple(Heap(int(b.packs), b.epoch, _hours(b.at)) for b in state.condemned)
    return Row(state.epoch, heaps, int(state.deleting.packs) if state.deleting else 0, int(state.deleted or 0))


def _time(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def _hours(time: datetime) -> int:
    return int((time - NOW).total_seconds()) // HOUR
