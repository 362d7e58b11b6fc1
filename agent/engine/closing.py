"""The objects that make a session's packs a snapshot, in an order that never lies: packs, index, head, refs, commit."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from agent.engine.journal import BegunPack, Closing, MetaObject
from agent.vault import CommitOrder, Committed, PacksMissing, Vault
from shared.domain.commits import Statistics
from shared.domain.ids import SessionId
from shared.format import head, indexes, names, refs
from shared.format.head import Head
from shared.format.keys import VaultKeys
from shared.format.names import IndexName
from shared.format.refs import IndexRef, PackRef, Refs
from shared.format.seal import NONCE_BYTES


@dataclass(frozen=True, slots=True)
class Close:
    """All that the closing objects are made of; the head does not know its indexes yet."""

    head: Head
    needed_packs: Iterable[PackRef]
    needed_indexes: Iterable[IndexRef]
    """The segments of earlier sessions that locate chunks of this snapshot."""
    packs: Sequence[BegunPack]
    """Of this session."""
    statistics: Statistics
    entropy: Callable[[int], bytes]
    backup_set: str = ""


def prepare(close: Close, vault: Vault, keys: VaultKeys) -> Closing:
    """The sealed and signed bytes, in the order in which they must be written."""
    own = _own_indexes(close, keys)
    located = tuple(sorted((*close.needed_indexes, *(IndexRef(name, len(body)) for name, body in own))))
    sealed_head = _head(close, keys, located)
    text = refs.encode(_refs(close, vault, sealed_head, located), vault.sign)
    session = close.head.session
    objects = (
        *(MetaObject(str(name), body) for name, body in own),
        MetaObject(names.head(session), sealed_head),
        MetaObject(names.refs(session), text),
    )
    return Closing(objects, close.statistics, close.backup_set)


def write(closing: Closing, vault: Vault, session: SessionId) -> Committed | PacksMissing:
    """Writes and commits. May be repeated after a crash: the same bytes again are no error."""
    # The packs are there already. Index before head before refs: a crash here leaves garbage, never a lie.
    for name, body in closing.objects:
        vault.put_meta(name, body)
    return vault.commit(CommitOrder(session, closing.refs_sha256(session), closing.statistics, closing.backup_set))


def _own_indexes(close: Close, keys: VaultKeys) -> list[tuple[IndexName, bytes]]:
    packs = [(pack.ref, pack.records) for pack in close.packs]
    own: list[tuple[IndexName, bytes]] = []
    for number, part in enumerate(indexes.split(packs)):
        name = IndexName(close.head.session, number)
        own.append((name, indexes.encode(keys, name, part, close.entropy(NONCE_BYTES))))
    return own


def _head(close: Close, keys: VaultKeys, located: Sequence[IndexRef]) -> bytes:
    whole = replace(close.head, indexes=tuple(ref.name for ref in located))
    return head.encode(keys, whole, close.entropy(NONCE_BYTES))


def _refs(close: Close, vault: Vault, sealed_head: bytes, located: tuple[IndexRef, ...]) -> Refs:
    return Refs(
        account=vault.account,
        session=close.head.session,
        device=vault.device,
        head_sha256=hashlib.sha256(sealed_head).hexdigest(),
        head_size_bytes=len(sealed_head),
        indexes=located,
        packs=tuple(sorted(close.needed_packs)),
    )
