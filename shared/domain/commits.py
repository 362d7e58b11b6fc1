"""Whether a session may become a snapshot: the check on which the safety of the vault rests (design 5.3)."""

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.ids import AccountId, DeviceId, HoldId, PackName, SessionId, UserId

TAKE_BACK = timedelta(hours=24)
"""How long an expired snapshot can be taken back."""


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
class Hold:
    """Somebody's reason why a snapshot must not go, whatever the policy says."""

    id: HoldId
    reason: str
    by: UserId
    by_provider: bool
    """What the provider holds, only the provider lets go."""
    placed_at: datetime


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
    expired_at: datetime | None = None
    """Since when no rule keeps it: it is not restored any more, and can be taken back for a while."""
    pinned: bool = False
    holds: tuple[Hold, ...] = ()
    resurrected: int = 0
    """Packs that were condemned until this snapshot needed them again."""

    @property
    def take_back_until(self) -> datetime | None:
        return None if self.expired_at is None else self.expired_at + TAKE_BACK


@dataclass(frozen=True, slots=True)
class Batch:
    """Packs that one sweep condemned, or is deleting."""

    packs: str
    """The name of their set."""
    count: int
    """How many they were at first: commits that need one again take it out."""
    epoch: int
    """Sessions opened at this epoch or before may still count on them."""
    at: datetime


@dataclass(frozen=True, slots=True)
class VaultState:
    """One row an account, the point of linearisation: whoever commits, fences, condemns or deletes writes it."""

    account: AccountId
    epoch: int = 0
    condemned: tuple[Batch, ...] = ()
    """What sweeps found unreferenced, oldest first."""
    deleting: Batch | None = None
    """Nothing brings these back, and no commit counts on them."""
    deleted: str | None = None
    """The name of the set of packs that are gone while an index still tells where they were."""
    catalogue: str | None = None
    """The name of what the sweep remembers of packs and their users; it can be made anew from the vault."""
    marked: str | None = None
    """Which sessions and snapshots the last mark found, as `fingerprint`: while they are the same, so is it."""

    @property
    def on_their_way_out(self) -> tuple[str, ...]:
        """The names of all sets of packs that nobody should count on."""
        batches = self.condemned if self.deleting is None else (*self.condemned, self.deleting)
        return tuple(filter(None, (*(batch.packs for batch in batches), self.deleted)))


def fingerprint(committed: Iterable[SessionId], kept: Iterable[SessionId]) -> str:
    text = f"{''.join(sorted(committed))} {''.join(sorted(kept))}"
    return hashlib.sha256(text.encode()).hexdigest()


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
