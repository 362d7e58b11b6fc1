"""The deletion log and the sweep's report: what went, when and why; written before it goes (G6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.ids import AccountId


class Kind(StrEnum):
    SNAPSHOT = "snapshot"
    PACKS = "packs"
    """What no kept snapshot needed; the name is the set's."""
    GARBAGE = "garbage"
    """What a session that was never committed had uploaded."""
    SESSION = "session"
    """The index of a session of which nothing else was left."""
    STRAY = "stray"
    """Objects that belong to nothing; the name is the day's."""


@dataclass(frozen=True, slots=True)
class Deletion:
    account: AccountId
    due_at: datetime
    """When it might go. It is the same for whoever repeats the deletion, so that nothing is logged twice."""
    kind: Kind
    name: str
    objects: int
    stored_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class SweepReport:
    """One account's night. Made from the deletion log and the vault's rows, so it can be made again."""

    account: AccountId
    at: datetime
    expired: int = 0
    """Snapshots that no rule kept any more; they can be taken back until the next sweep removes them."""
    removed: int = 0
    condemned_packs: int = 0
    """Packs found unreferenced by this sweep."""
    resurrected_packs: int = 0
    """Condemned packs that new snapshots needed again."""
    deleted_packs: int = 0
    freed_bytes: int = 0
    skipped: tuple[str, ...] = ()
    """What waits, and why."""


def totalled(account: AccountId, at: datetime, deletions: Iterable[Deletion]) -> SweepReport:
    log = list(deletions)
    packs = [entry for entry in log if entry.kind in (Kind.PACKS, Kind.GARBAGE)]
    return SweepReport(
        account=account,
        at=at,
        removed=sum(entry.kind is Kind.SNAPSHOT for entry in log),
        deleted_packs=sum(entry.objects for entry in packs),
        freed_bytes=sum(entry.stored_bytes for entry in packs),
    )
