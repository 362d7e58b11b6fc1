"""Looks into an account's storage: what is lost, what lies there for nothing, whether the bytes are still the same."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from shared.contracts.inspections import AccountsWindow, InspectAccount, NextAccounts
from shared.contracts.sweep import AccountKey
from shared.domain import catalogue as catalogues
from shared.domain.catalogue import Catalogue
from shared.domain.deletions import Deletion, Kind
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, PackName, SessionId
from shared.domain.inspections import Inspection, InspectionKind, in_words, lost, sample
from shared.format import names
from shared.format.refs import decode_unverified
from shared.operations import incidents
from shared.operations.cataloguing import RefsLost, refs_of
from shared.operations.incidents import Loss
from shared.operations.sweeping import log, rows_of
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed
from shared.storage.vaults import Rows

SCRUB_BUDGET_BYTES = 256 << 20
"""Read an account and month: eight packs of 32 MiB."""


def next_accounts(services: Services, order: NextAccounts) -> AccountsWindow:
    after = order.after and (order.after.customer, order.after.account)
    keys = tuple(AccountKey(a.value.customer, a.value.id) for a in services.accounts.scan(after, order.limit))
    return AccountsWindow(keys, last=keys[-1] if len(keys) == order.limit else None)


def inspect_account(services: Services, order: InspectAccount) -> Inspection:
    """Safe to repeat. A fault is an incident at once."""
    look = {InspectionKind.RECONCILE: _reconcile, InspectionKind.SCRUB: _scrub}[order.kind]
    found = look(services, order)
    if found.faults:
        incidents.raise_once(services, Loss(order.customer, order.account, in_words(found.faults)))
    try:
        return services.inspections.insert(found).value
    except AlreadyThere:
        return found


@dataclass(frozen=True, slots=True)
class _Lasting:
    """What was there both before and after storage was listed."""

    committed: frozenset[SessionId]
    kept: frozenset[SessionId]

    @classmethod
    def of(cls, before: Rows, after: Rows) -> Self:
        return cls(before.committed & after.committed, before.kept & after.kept)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the containers hold."""

    packs: dict[PackName, int]
    others: tuple[str, ...]
    """Names in the packs' container that no agent of ours gives."""
    meta: dict[str, int]


def _reconcile(services: Services, order: InspectAccount) -> Inspection:
    # Rows, storage, rows: what was committed before the listing must be in it, and what has no row after it will
    # never have one, because a session has its row before it can upload.
    before, contents = rows_of(services, order.account), _contents(services, order.account)
    rows = rows_of(services, order.account)
    strays = _clear_strays(services, order, rows, contents)
    catalogue, faults = _recount(services, order.account, _Lasting.of(before, rows), contents)
    noted = replace(rows.state.value, catalogue=services.catalogues.write(order.account, catalogue), marked=None)
    with suppress(Changed):  # somebody wrote meanwhile: what was remembered before serves until next week
        services.vaults.write(rows.state, noted)
    services.catalogues.forget_old(order.account, keep={*noted.on_their_way_out, *filter(None, (noted.catalogue,))})
    return Inspection(
        account=order.account,
        at=order.at,
        kind=order.kind,
        objects=len(contents.packs) + len(contents.others) + len(contents.meta),
        stored_bytes=sum(contents.packs.values()) + sum(contents.meta.values()),
        strays=strays,
        faults=tuple(faults),
    )


def _contents(services: Services, account: AccountId) -> _Contents:
    packs, others = dict[PackName, int](), list[str]()
    for name, size in services.vault_blobs.all_in(names.packs_container(account)):
        try:
            packs[PackName.parse(name)] = size
        except Malformed:
            others.append(name)
    return _Contents(packs, tuple(others), dict(services.vault_blobs.all_in(names.meta_container(account))))


def _clear_strays(services: Services, order: InspectAccount, rows: Rows, contents: _Contents) -> int:
    """Objects that no row speaks of: deletions that a crash cut off, and what strangers left."""
    known = {session.value.id for session in rows.sessions}
    packs = {pack: size for pack, size in contents.packs.items() if pack.session not in known}
    meta = {name: size for name, size in contents.meta.items() if not _belongs(name, rows, known)}
    count = len(packs) + len(contents.others) + len(meta)
    if count:
        size = sum(packs.values()) + sum(meta.values())
        log(services, Deletion(order.account, order.at, Kind.STRAY, "strays", count, size, "belonged to no session"))
        services.vault_blobs.delete_packs(order.account, [*map(str, packs), *contents.others])
        services.vault_blobs.delete_meta(order.account, meta)
    return count


def _belongs(name: str, rows: Rows, known: set[SessionId]) -> bool:
    """Of a session whose snapshot was removed, only the index is of use."""
    kind, _, rest = name.partition("/")
    session = SessionId(rest.partition("/")[0])
    if session in rows.committed and kind in ("head", "refs"):
        return session in rows.kept
    return session in known and kind in ("head", "refs", "index")


def _recount(
    services: Services, account: AccountId, lasting: _Lasting, contents: _Contents
) -> tuple[Catalogue, list[str]]:
    """The catalogue made anew from storage, and what kept snapshots miss."""
    catalogue, needed, faults = Catalogue(), dict[PackName, int](), list[str]()
    by_session = dict[SessionId, list[tuple[PackName, int]]]()
    for pack, size in contents.packs.items():
        by_session.setdefault(pack.session, []).append((pack, size))
    for session in sorted(lasting.committed):
        catalogue = catalogues.listed(catalogue, session, by_session.get(session, ()))
    for snapshot in sorted(lasting.kept):
        try:
            refs = decode_unverified(refs_of(services, account, snapshot))
        except RefsLost as fault:
            faults.append(str(fault))
            continue
        needed |= {pack.name: pack.size_bytes for pack in refs.packs}
        catalogue = catalogues.used(catalogue, snapshot, refs.packs, (index.name.session for index in refs.indexes))
        faults += [
            f"{name} of snapshot {snapshot} is not there"
            for name in (names.head(snapshot), *(str(index.name) for index in refs.indexes))
            if name not in contents.meta
        ]
    return catalogue, faults + lost(needed, contents.packs)


def _scrub(services: Services, order: InspectAccount) -> Inspection:
    rows = rows_of(services, order.account)
    catalogue = services.catalogues.read(order.account, rows.state.value.catalogue) or Catalogue()
    packs = dict(_in_use(rows, catalogue))
    chosen = sample(packs, f"{order.at:%Y-%m}", SCRUB_BUDGET_BYTES)
    return Inspection(
        account=order.account,
        at=order.at,
        kind=order.kind,
        objects=len(chosen),
        stored_bytes=sum(packs[pack] for pack in chosen),
        faults=tuple(_damage(services, order.account, chosen)),
    )


def _in_use(rows: Rows, catalogue: Catalogue) -> Iterator[tuple[PackName, int]]:
    for snapshot in rows.kept & catalogue.uses.keys():
        yield from catalogues.packs_of(catalogue, catalogue.uses[snapshot])


def _damage(services: Services, account: AccountId, packs: Iterable[PackName]) -> Iterator[str]:
    """A pack's name is the hash of its bytes: whoever can read it can tell, and needs no key."""
    for pack in packs:
        digest = hashlib.sha256()
        for part in services.vault_blobs.pack_parts(account, pack):
            digest.update(part)
        if digest.hexdigest() != pack.pack_id:
            yield f"pack {pack} is damaged or lost"
