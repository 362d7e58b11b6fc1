"""The audit log, as a tenant reads it."""

from shared.api.base import Count, Instant, Reply, Sha256
from shared.domain.audit import Deed


class AuditRecord(Reply):
    """One act. `hash` is the SHA-256 of the other fields as JSON: keys sorted, no spaces, times as they stand here.

    Characters beyond ASCII are hashed as `\\uXXXX` (docs/audit.md has the program).
    """

    number: Count
    previous: Sha256
    at: Instant
    actor: str
    deed: Deed
    subject: str
    address: str
    outcome: str
    instruction: str | None
    hash: Sha256


class AuditAnchor(Reply):
    """What to keep: a chain that does not hold it any more was rewritten, and `verify` says so."""

    records: Count
    head: Sha256
    """The hash of the last of these records."""
    as_of: Instant


class AuditVerdict(Reply):
    """Whether the chain is as it was written; if not, the first record that is wrong, and how."""

    sound: bool
    records: Count
    """How many records vouch for each other, from the first on."""
    head: Sha256
    """What to write down: a chain with this head can't be changed before it unnoticed."""
    broken_at: Count | None = None
    reason: str | None = None
