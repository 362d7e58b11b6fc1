"""The end of a sweep: sessions of which nothing is needed any more go, and the report is written."""

from collections.abc import Iterator, Set
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile

from shared.contracts.sweep import ReportSweep, SessionsCleared, SweepAccount
from shared.domain import catalogue as catalogues
from shared.domain import deletions
from shared.domain.catalogue import Catalogue
from shared.domain.commits import fingerprint
from shared.domain.deletions import Deletion, Kind, SweepReport
from shared.domain.ids import AccountId, IndexName, PackName, SessionId
from shared.domain.sessions import BackupSession
from shared.domain.sweep import GRACE, Waits, is_garbage, ripeness
from shared.format import names
from shared.operations import sessions
from shared.operations.cataloguing import RefsLost, up_to_date
from shared.operations.contention import until_unchanged
from shared.operations.sweeping import ROWS_A_TRANSACTION, log, rows_of
from shared.services import Services
from shared.storage.deletions import moment
from shared.storage.tables import Remove
from shared.storage.vaults import SESSIONS, Rows

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def clear_sessions(services: Services, order: SweepAccount) -> SessionsCleared:
    """Sessions never committed go with all they uploaded; committed ones when the last of their packs is gone."""
    rows = rows_of(services, order.account)
    garbage = [session for session in rows.all_sessions if is_garbage(session, order.at)]
    for session in garbage:
        _clear_garbage(services, session)
    if not rows.committed - rows.kept:
        return SessionsCleared(len(garbage))
    return SessionsCleared(len(garbage) + until_unchanged(lambda: _drop_empty(services, order)))


def report_sweep(services: Services, order: ReportSweep) -> SweepReport:
    """Made from what the night left behind; once it is kept, it stays as it is."""
    latest = services.sweeps.page(order.account, limit=1)
    if latest and latest[0].at >= order.at:
        return latest[0]
    since = latest[0].at if latest else LONG_AGO
    rows = rows_of(services, order.account)
    log = services.deletions.all(order.account, past=moment(since) + "~")
    waits = [ripeness(batch, rows.all_sessions, order.at) for batch in rows.state.value.condemned]
    report = replace(
        deletions.totalled(order.account, order.at, takewhile(lambda entry: entry.due_at <= order.at, log)),
        expired=sum(e.value.expired_at is not None and e.value.expired_at >= order.at for e in rows.snapshots),
        condemned_packs=sum(batch.count for batch in rows.state.value.condemned if batch.at >= order.at),
        resurrected_packs=sum(s.value.resurrected for s in rows.snapshots if since < s.value.committed_at <= order.at),
        skipped=(
            *order.skipped,
            *(wait.reason for wait in waits if isinstance(wait, Waits) and wait.batch.at < order.at),
        ),
    )
    return services.sweeps.insert(report).value


def _clear_garbage(services: Services, session: BackupSession) -> None:
    assert session.ended_at is not None, "garbage has ended"
    packs = dict(services.vault_blobs.packs_of(session.account, session.id))
    due_at, size = session.ended_at + GRACE, sum(packs.values())
    log(
        services,
        Deletion(session.account, due_at, Kind.GARBAGE, session.id, len(packs), size, f"session {session.state}"),
    )
    services.vault_blobs.delete_packs(session.account, packs)
    services.vault_blobs.delete_meta(session.account, _meta_of(services, session.account, session.id))
    # Objects before row: a crash here clears once more; nobody can ever commit this session.
    until_unchanged(lambda: _forget(services, session))


def _forget(services: Services, session: BackupSession) -> None:
    state = sessions.vault_state(services, session.account)
    row = services.vaults.session(session.account, session.id)
    if row is not None:
        services.vaults.write(state, state.value, [Remove(SESSIONS.to_entity(row.value), row.etag)])


def _drop_empty(services: Services, order: SweepAccount) -> int:
    rows = rows_of(services, order.account)
    if not rows.committed - rows.kept:
        return 0
    try:
        catalogue = up_to_date(services, rows)
    except RefsLost:
        return 0  # the mark has told it
    tombstones = services.pack_sets.read(order.account, rows.state.value.deleted)
    over = list(_empty(rows, catalogue, tombstones.keys()))[:ROWS_A_TRANSACTION]
    if not over:
        return 0
    gone = frozenset(over)
    reason = "none of its packs is left"
    log(services, *(Deletion(order.account, order.at, Kind.SESSION, session, 0, 0, reason) for session in over))
    left = {pack: size for pack, size in tombstones.items() if pack.session not in gone}
    new = replace(
        rows.state.value,
        deleted=services.pack_sets.write(order.account, left) if left else None,
        catalogue=services.catalogues.write(order.account, catalogues.without(catalogue, gone, ())),
        marked=_marked_without(rows, gone),
    )
    removed = [Remove(SESSIONS.to_entity(s.value), s.etag) for s in rows.sessions if s.value.id in gone]
    services.vaults.write(rows.state, new, removed)
    # Rows before objects: from here on no commit can name these indexes, so none can miss them. They are named by what
    # the commits told, for a listing each would cost more than all the rest; the reconcile finds what lies beside them.
    ended = (each.value for each in rows.sessions if each.value.id in gone)
    indexes = (IndexName(session.id, n) for session in ended for n in range(session.index_segments))
    services.vault_blobs.delete_meta(order.account, map(str, indexes))
    return len(over)


def _marked_without(rows: Rows, gone: frozenset[SessionId]) -> str | None:
    """What the mark found, less what it would not find any more: to forget a session is no reason to mark again."""
    marked = rows.state.value.marked
    same = marked == fingerprint(rows.committed, rows.kept)
    return fingerprint(rows.committed - gone, rows.kept) if same else marked


def _empty(rows: Rows, catalogue: Catalogue, tombstones: Set[PackName]) -> Iterator[SessionId]:
    """Committed sessions without a snapshot or a pack, whose index no kept snapshot reads."""
    needed = {session for snapshot in rows.kept for session in catalogue.uses[snapshot]}
    for session in sorted(rows.committed - rows.kept - needed):
        if all(pack in tombstones for pack, _ in catalogues.packs_on(catalogue, session)):
            yield session


def _meta_of(services: Services, account: AccountId, session: SessionId) -> list[str]:
    prefixes = (f"index/{session}/", names.head(session), names.refs(session))
    return list(services.vault_blobs.meta_sizes(account, prefixes))
