"""What sweeps did: reports, the deletion log, and how far one is."""

from shared.api.base import Bytes, Count, Instant, Reply
from shared.domain.deletions import Kind
from shared.domain.ids import AccountId


class SweepReport(Reply):
    """One account's sweep, in figures."""

    account: AccountId
    at: Instant
    expired: Count
    """Snapshots that no rule kept any more; they can be taken back for 24 hours."""
    removed: Count
    """Snapshots that nobody took back."""
    condemned_packs: Count
    resurrected_packs: Count
    """Condemned packs that new snapshots needed again."""
    deleted_packs: Count
    freed_bytes: Bytes
    skipped: list[str]
    """What waits, and why."""


class Sweep(Reply):
    """How an account's sweep stands."""

    account: AccountId
    running: bool
    step: str | None = None
    done: Count = 0
    of: Count = 0
    latest: SweepReport | None = None


class Deletion(Reply):
    """An entry of the deletion log."""

    due_at: Instant
    kind: Kind
    name: str
    objects: Count
    stored_bytes: Bytes
    reason: str
