"""The steps of an account's sweep: each safe to repeat, to stop anywhere, to run beside another (design 5.4, 5.5)."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from shared.contracts.sweep import (
    DeletePacks,
    PacksCondemned,
    PacksDeleted,
    PacksDoomed,
    SnapshotsExpired,
    SweepAccount,
)
from shared.domain import catalogue as catalogues
from shared.domain.commits import TAKE_BACK, Snapshot, VaultState, fingerprint
from shared.domain.deletions import Deletion, Kind
from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, DeviceId, PackName
from shared.domain.marks import is_past_taking_back
from shared.domain.policy_changes import policy_in_force
from shared.domain.retention import Verdict, judge, restore_point
from shared.domain.sessions import BackupSession, as_of
from shared.domain.sweep import GRACE, Ripe, condemned, dated, deleted, doomed, ripeness, to_be_joined
from shared.format import names
from shared.format.refs import mentions
from shared.operations import incidents, retention, sessions
from shared.operations.cataloguing import RefsLost, refs_of, up_to_date
from shared.operations.contention import until_unchanged
from shared.operations.incidents import Loss
from shared.services import Services
from shared.storage.deletions import DELETIONS
from shared.storage.tables import MAX_TRANSACTION, AlreadyThere, Insert, Remove, Replace, Stored, transact
from shared.storage.vaults import SESSIONS, SNAPSHOTS, Rows

ROWS_A_TRANSACTION = MAX_TRANSACTION - 1
"""The state's row takes part in each."""
PACKS_A_CALL = 10 * 256


def expire_snapshots(services: Services, order: SweepAccount) -> SnapshotsExpired:
    """Fences what ran out, lets expire what no rule keeps, removes what nobody took back."""
    expired = removed = 0
    while True:
        done = until_unchanged(lambda: _settle(services, order))
        expired, removed = expired + len(done.expiring), removed + len(done.removed)
        if not done.is_full:
            return SnapshotsExpired(expired, removed)


def condemn_packs(services: Services, order: SweepAccount) -> PacksCondemned:
    """The mark: packs of committed sessions that no kept snapshot needs. Sessions that open now are told."""
    try:
        return PacksCondemned(until_unchanged(lambda: _condemn(services, order)))
    except RefsLost as lost:
        incidents.raise_once(services, Loss(order.customer, order.account, str(lost)))
        return PacksCondemned(0, skipped=str(lost))


def doom_packs(services: Services, order: SweepAccount) -> PacksDoomed:
    """Condemned packs whose time has come, and that a second mark finds unneeded, get past the point of no return."""
    try:
        return until_unchanged(lambda: _doom(services, order))
    except RefsLost:
        return PacksDoomed(0, 0)  # the mark tells it


def delete_packs(services: Services, order: DeletePacks) -> PacksDeleted:
    """The next packs of the set that is being deleted; after the last of them the set is done with."""
    state = sessions.vault_state(services, order.account).value
    if state.deleting is None or order.packs not in (None, state.deleting.packs):
        return PacksDeleted(None, "", 0, 0)  # somebody else has done it
    doom, packs = state.deleting, services.pack_sets.read(order.account, state.deleting.packs)
    # Log before blobs: nothing goes without a trace.
    log(services, Deletion(order.account, doom.at, Kind.PACKS, doom.packs, doom.count, sum(packs.values()), "unneeded"))
    left = sorted(pack for pack in packs if str(pack) > order.after)
    now = left[:PACKS_A_CALL]
    services.vault_blobs.delete_packs(order.account, now)
    done = len(packs) - len(left) + len(now)
    if len(now) < len(left):
        return PacksDeleted(doom.packs, str(now[-1]), done, len(packs))
    # Blobs before tombstones: a crash here deletes once more what is gone already.
    until_unchanged(lambda: _finish(services, order.account, doom.packs))
    return PacksDeleted(None, "", done, len(packs))


def expiring(services: Services, rows: Rows, at: datetime) -> list[Stored[Snapshot]]:
    """Snapshots that no rule keeps any more; who is active is asked only if that could matter."""
    policies = policy_in_force(rows.retention and rows.retention.value, at)
    there = {each.value.id: each for each in rows.snapshots if each.value.expired_at is None}
    points = [restore_point(each.value) for each in there.values()]

    def over(active: frozenset[DeviceId]) -> list[Stored[Snapshot]]:
        judged = judge(points, policies, at, active)
        return [there[judgement.id] for judgement in judged if judgement.verdict is Verdict.EXPIRE]

    found = over(frozenset())
    return found and over(retention.active_devices(services, rows.state.value.account))


def rows_of(services: Services, account: AccountId) -> Rows:
    rows = services.vaults.rows(account)
    if rows is None:
        raise NotFound(f"account {account} has no vault")
    return rows


def log(services: Services, *entries: Deletion) -> None:
    """Each once, however often it is told: what the first telling counted stands."""
    for together in batched(entries, MAX_TRANSACTION, strict=False):
        try:
            transact(services.deletions.client, [Insert(DELETIONS.to_entity(entry)) for entry in together])
        except AlreadyThere:
            for entry in together:
                with suppress(AlreadyThere):
                    services.deletions.insert(entry)


@dataclass(frozen=True, slots=True)
class _Settlement:
    """The rows that a sweep changes before it looks at packs, as many as one transaction takes."""

    overdue: tuple[Stored[BackupSession], ...]
    expiring: tuple[Stored[Snapshot], ...]
    removed: tuple[Stored[Snapshot], ...]

    @property
    def is_full(self) -> bool:
        return len(self.overdue) + len(self.expiring) + len(self.removed) == ROWS_A_TRANSACTION


def _settle(services: Services, order: SweepAccount) -> _Settlement:
    rows, now = rows_of(services, order.account), services.now()
    done = _settlement(services, rows, order.at, now)
    since = dated(order.at, now)
    log(services, *(_removal(snapshot.value) for snapshot in done.removed))
    steps = [
        *(Replace(SESSIONS.to_entity(as_of(each.value, now)), each.etag) for each in done.overdue),
        *(Replace(SNAPSHOTS.to_entity(replace(each.value, expired_at=since)), each.etag) for each in done.expiring),
        *(Remove(SNAPSHOTS.to_entity(each.value), each.etag) for each in done.removed),
    ]
    if steps:
        services.vaults.write(rows.state, rows.state.value, steps)
    # Rows before objects: a crash here leaves garbage, never a snapshot that cannot be restored.
    objects = (name for each in done.removed for name in (names.refs(each.value.id), names.head(each.value.id)))
    services.vault_blobs.delete_meta(order.account, objects)
    return done


def _settlement(services: Services, rows: Rows, at: datetime, now: datetime) -> _Settlement:
    room = ROWS_A_TRANSACTION
    overdue = tuple(each for each in rows.sessions if as_of(each.value, now) is not each.value)[:room]
    room -= len(overdue)
    removed = tuple(each for each in rows.snapshots if is_past_taking_back(each.value, at))[:room]
    room -= len(removed)
    return _Settlement(overdue, tuple(expiring(services, rows, at)[:room]), removed)


def _removal(snapshot: Snapshot) -> Deletion:
    assert snapshot.expired_at is not None
    return Deletion(
        account=snapshot.account,
        due_at=snapshot.expired_at + TAKE_BACK,
        kind=Kind.SNAPSHOT,
        name=snapshot.id,
        objects=1,
        stored_bytes=0,
        reason=f"of {snapshot.committed_at:%Y-%m-%d %H:%M} UTC, expired at {snapshot.expired_at:%Y-%m-%d %H:%M} UTC",
    )


def _condemn(services: Services, order: SweepAccount) -> int:
    rows = rows_of(services, order.account)
    catalogue = up_to_date(services, rows)
    out = services.pack_sets.read_all(order.account, rows.state.value.on_their_way_out)
    mark = catalogues.unreferenced(catalogue, rows.kept, rows.committed)
    dead = {pack: size for pack, size in catalogues.packs_of(catalogue, mark) if pack not in out}
    noted = replace(
        rows.state.value,
        catalogue=services.catalogues.write(order.account, catalogue),
        marked=fingerprint(rows.committed, rows.kept),
    )
    new = _condemning(services, noted, dead, dated(order.at, services.now())) if dead else noted
    if new != rows.state.value:
        services.vaults.write(rows.state, new)
    return len(dead)


def _condemning(services: Services, state: VaultState, dead: Mapping[PackName, int], at: datetime) -> VaultState:
    joined = to_be_joined(state)
    if joined is None:
        return condemned(state, services.pack_sets.write(state.account, dead), len(dead), at)
    both = {**services.pack_sets.read(state.account, joined.packs), **dead}
    shorter = replace(state, condemned=state.condemned[:-1])
    return condemned(shorter, services.pack_sets.write(state.account, both), len(both), at)


def _doom(services: Services, order: SweepAccount) -> PacksDoomed:
    state = sessions.vault_state(services, order.account).value
    if not any(order.at >= batch.at + GRACE for batch in state.condemned):
        return PacksDoomed(0, 0)  # without a look at all the rows
    rows = rows_of(services, order.account)
    verdicts = [ripeness(batch, rows.all_sessions, order.at) for batch in rows.state.value.condemned]
    ripe = [verdict.batch for verdict in verdicts if isinstance(verdict, Ripe)]
    if not ripe or rows.state.value.deleting is not None:
        return PacksDoomed(0, 0)
    packs = services.pack_sets.read_all(order.account, (batch.packs for batch in ripe))
    needed = _needed(services, rows, packs)
    doom = {pack: size for pack, size in packs.items() if pack not in needed}
    kept = services.pack_sets.write(order.account, doom) if doom else None
    services.vaults.write(rows.state, doomed(rows.state.value, ripe, kept, len(doom), order.at))
    return PacksDoomed(len(doom), len(needed))


def _needed(services: Services, rows: Rows, packs: Iterable[PackName]) -> frozenset[PackName]:
    """The second mark: from the refs themselves, not from what the first one remembered."""
    by_name = {str(pack).encode(): pack for pack in packs}
    found = set[bytes]()
    for snapshot in rows.kept:
        found |= mentions(refs_of(services, rows.state.value.account, snapshot), by_name.keys())
    return frozenset(by_name[name] for name in found)


def _finish(services: Services, account: AccountId, doom: str) -> None:
    state = sessions.vault_state(services, account)
    if state.value.deleting is None or state.value.deleting.packs != doom:
        return  # a repeated call
    tombstones = services.pack_sets.read_all(account, (state.value.deleted, doom))
    services.vaults.write(state, deleted(state.value, services.pack_sets.write(account, tombstones)))
