"""What sweeps and inspections did: reports, the deletion log, and how far a sweep is."""

from shared.api.base import Bytes, Count, Instant, Reply
from shared.domain.deletions import Kind
from shared.domain.ids import AccountId
from shared.domain.inspections import InspectionKind


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


class Inspection(Reply):
    """A look into an account's storage."""

    at: Instant
    kind: InspectionKind
    objects: Count
    """Looked at: by a reconciliation all there are, by a scrub the packs that were read."""
    stored_bytes: Bytes
    strays: Count
    """Objects that belonged to nothing, and were deleted."""
    faults: list[str]
    """What kept snapshots need and is not there as it was uploaded; each is an incident of the provider's."""
