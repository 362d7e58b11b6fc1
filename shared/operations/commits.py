"""The commit: a session becomes a snapshot only if everything it needs is there (design 5.3)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.commits import (
    Accepted,
    CommitFacts,
    MissingPack,
    Refused,
    Snapshot,
    Statistics,
    VaultState,
    judge,
)
from shared.domain.errors import Conflict, HortError, Malformed
from shared.domain.ids import AccountId, PackName, SessionId
from shared.domain.sessions import SessionState, ended
from shared.domain.tenancy import DeviceCaller
from shared.format import names
from shared.format.refs import Refs, decode
from shared.operations import devices, sessions
from shared.operations.contention import until_unchanged
from shared.services import Services

MAX_REFS_BYTES = 64 << 20
"""About 500,000 packs: 15 TiB in one snapshot."""


class PacksMissing(HortError):
    """The commit is refused; the agent sends these packs' chunks again and commits once more."""

    def __init__(self, missing: tuple[MissingPack, ...]) -> None:
        first = missing[0]
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        super().__init__(f"pack {first.pack} {first.reason}{more}")
        self.packs = tuple(m.pack for m in missing)


class ObjectsMissing(HortError):
    """The commit is refused: refs, head or index are not there as the refs say."""


@dataclass(frozen=True, slots=True)
class CommitOrder:
    session: SessionId
    refs_sha256: str
    statistics: Statistics
    backup_set: str = ""


def commit(services: Services, device: DeviceCaller, order: CommitOrder) -> Snapshot:
    """Make the session a snapshot, if it is restorable. A repeated commit gets the same answer.

    Raises `SessionClosed`, `PacksMissing`, `ObjectsMissing`, `Malformed`.
    """
    snapshot = until_unchanged(lambda: _commit(services, device, order))
    _remember_last_snapshot(services, snapshot)
    return snapshot


def _commit(services: Services, device: DeviceCaller, order: CommitOrder) -> Snapshot:
    # State first: every fact below is read after the ETag that the write at the end must still find.
    state = sessions.vault_state(services, device.account)
    session = sessions.own(services, device, order.session)
    if session.value.state is SessionState.COMMITTED:
        return _same_again(services, order, device.account)
    sessions.refuse_if_closed(services, state, session)
    refs = _refs(services, device, order)
    resurrected = _judge(services, refs, state.value)
    now = services.now()
    snapshot = _snapshot(refs, order, now)
    services.vaults.commit(
        state,
        _without(services, state.value, resurrected),
        session,
        ended(session.value, SessionState.COMMITTED, now),
        snapshot,
    )
    return snapshot


def _same_again(services: Services, order: CommitOrder, account: AccountId) -> Snapshot:
    snapshot = services.vaults.snapshot(account, order.session)
    if snapshot is None or snapshot.refs_sha256 != order.refs_sha256:
        raise Conflict(f"session {order.session} was committed with other refs")
    return snapshot


def _refs(services: Services, device: DeviceCaller, order: CommitOrder) -> Refs:
    name = names.refs(order.session)
    data = services.vault_blobs.meta(device.account, name, at_most_bytes=MAX_REFS_BYTES + 1)
    if data is None:
        raise ObjectsMissing(f"{name} is not there")
    if len(data) > MAX_REFS_BYTES:
        raise Malformed("refs", f"larger than {MAX_REFS_BYTES} bytes")
    if hashlib.sha256(data).hexdigest() != order.refs_sha256:
        raise Malformed("refs_sha256", f"{name} has another hash")
    row = devices.get(services, device.account, device.id).value
    refs = decode(data, devices.verify_key(row))
    if (refs.account, refs.session, refs.device) != (device.account, order.session, device.id):
        raise Malformed("refs", "they speak of another account, session or device")
    return refs


def _judge(services: Services, refs: Refs, state: VaultState) -> frozenset[PackName]:
    """Check that all is there; returns the condemned packs that live again."""
    committed = services.vaults.committed(refs.account)
    _check_meta(services, refs, committed)
    needed = {pack.name: pack.size_bytes for pack in refs.packs}
    facts = CommitFacts(
        session=refs.session,
        needed=needed,
        there=services.vault_blobs.pack_sizes(refs.account, {pack.session for pack in needed}),
        committed=committed,
        condemned=services.pack_sets.read(refs.account, state.condemned),
        deleting=services.pack_sets.read(refs.account, state.deleting),
    )
    match judge(facts):
        case Refused(missing):
            raise PacksMissing(missing)
        case Accepted(resurrected):
            return resurrected


def _check_meta(services: Services, refs: Refs, committed: frozenset[SessionId]) -> None:
    lasting = {refs.session, *committed}
    for index in refs.indexes:
        if index.name.session not in lasting:
            raise ObjectsMissing(f"{index.name} belongs to a session that was never committed")
    needed = {str(index.name): index.size_bytes for index in refs.indexes}
    needed[names.head(refs.session)] = refs.head_size_bytes
    prefixes = [names.head(refs.session), *(f"index/{session}/" for session in {i.name.session for i in refs.indexes})]
    there = services.vault_blobs.meta_sizes(refs.account, prefixes)
    for name, size_bytes in needed.items():
        if there.get(name) != size_bytes:
            raise ObjectsMissing(f"{name} is not there with {size_bytes} bytes")


def _without(services: Services, state: VaultState, resurrected: frozenset[PackName]) -> VaultState:
    if not resurrected:
        return state
    left = services.pack_sets.read(state.account, state.condemned) - resurrected
    return replace(state, condemned=services.pack_sets.write(state.account, left))


def _snapshot(refs: Refs, order: CommitOrder, now: datetime) -> Snapshot:
    new = [pack.size_bytes for pack in refs.packs if pack.name.session == refs.session]
    return Snapshot(
        id=refs.session,
        account=refs.account,
        device=refs.device,
        committed_at=now,
        refs_sha256=order.refs_sha256,
        packs=len(refs.packs),
        stored_bytes=sum(pack.size_bytes for pack in refs.packs),
        new_packs=len(new),
        new_stored_bytes=sum(new),
        index_segments=sum(1 for index in refs.indexes if index.name.session == refs.session),
        statistics=order.statistics,
        backup_set=order.backup_set,
    )


def _remember_last_snapshot(services: Services, snapshot: Snapshot) -> None:
    def attempt() -> None:
        row = devices.get(services, snapshot.account, snapshot.device)
        last = row.value.last_snapshot_at
        if last is not None and last >= snapshot.committed_at:
            return  # a commit delivered again, or overtaken by the next one
        services.devices.replace(row, replace(row.value, last_snapshot_at=snapshot.committed_at))

    # After the commit: a crash here leaves an old date on the device, and the next backup mends it.
    until_unchanged(attempt)
