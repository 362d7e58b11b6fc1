"""Keeping and reading the audit log."""

from datetime import datetime

from shared.domain import audit as domain
from shared.domain.audit import Act, Anchor, Broken, Record, Sound
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed


def record(services: Services, tenant: str, act: Act) -> Record:
    """Append one act to the tenant's chain."""

    def attempt() -> Record:
        try:
            return services.audit.append(tenant, act)
        except AlreadyThere:
            raise Changed("another writer began this chain") from None

    return until_unchanged(attempt)


def anchor(services: Services, tenant: str, as_of: datetime) -> Anchor:
    """What to keep of the chain as it is now, up to `as_of`."""
    return domain.anchor(services.audit.records(tenant), as_of)


def check(services: Services, tenant: str, kept: Anchor | None = None) -> Sound | Broken:
    """Whether the whole chain is as it was written, and goes on from the anchor that was `kept`."""
    # Head first: records that come while we read stand behind it, and are not looked at.
    head = services.audit.head(tenant)
    records = (kept for kept in services.audit.records(tenant) if kept.number <= head.number)
    return domain.verify(records, head.hash, kept)
