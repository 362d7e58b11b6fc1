"""Whether a session may become a snapshot: the check on which the safety of the vault rests (design 5.3)."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.ids import AccountId, DeviceId, PackName, SessionId


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the agent tells of its run; for people, nothing rests on it."""

    files: int = 0
    directories: int = 0
    logical_bytes: int = 0
    new_bytes: int = 0
    sent_bytes: int = 0
    unreadable: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A committed session: a restore point."""

    id: SessionId
    account: AccountId
    device: DeviceId
    committed_at: datetime
    """The service's clock, never the agent's: forged times must not displace good snapshots."""
    refs_sha256: str
    packs: int
    stored_bytes: int
    new_packs: int
    new_stored_bytes: int
    index_segments: int
    statistics: Statistics = field(default_factory=Statistics)
    backup_set: str = ""
    """`""` is the default set."""


@dataclass(frozen=True, slots=True)
class VaultState:
    """One row an account, the point of linearisation: whoever commits, fences, condemns or deletes writes it."""

    account: AccountId
    epoch: int = 0
    condemned: str | None = None
    """The name of the set of packs that a sweep found unreferenced."""
    deleting: str | None = None
    """The name of the set of packs that are being deleted or are deleted."""


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """All that the judgement needs, read after the vault's state and before the write that checks its ETag."""

    session: SessionId
    needed: Mapping[PackName, int]
    """Every pack the refs name, with its size in bytes."""
    there: Mapping[PackName, int]
    """What storage really holds of them."""
    committed: Set[SessionId]
    """Sessions whose packs may be reused."""
    condemned: Set[PackName]
    deleting: Set[PackName]


@dataclass(frozen=True, slots=True)
class Accepted:
    resurrected: frozenset[PackName]
    """Condemned packs that this snapshot needs again."""


@dataclass(frozen=True, slots=True)
class MissingPack:
    pack: PackName
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    missing: tuple[MissingPack, ...]


def judge(facts: CommitFacts) -> Accepted | Refused:
    """Accept only what is restorable: every pack whole, and none on its way out."""
    judged = ((pack, _fault(pack, size, facts)) for pack, size in facts.needed.items())
    missing = tuple(MissingPack(pack, fault) for pack, fault in judged if fault)
    if missing:
        return Refused(missing)
    return Accepted(frozenset(facts.condemned & facts.needed.keys()))


def _fault(pack: PackName, size_bytes: int, facts: CommitFacts) -> str | None:
    if pack in facts.deleting:
        return "is deleted or being deleted"
    if pack.session != facts.session and pack.session not in facts.committed:
        return "belongs to a session that was never committed"
    if pack not in facts.there:
        return "is not there"
    if facts.there[pack] != size_bytes:
        return f"has {facts.there[pack]} bytes instead of {size_bytes}"
    return None
