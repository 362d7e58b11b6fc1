"""Keeping and reading the audit log."""

from shared.domain.audit import Act, Broken, Record, Sound, verify
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


def check(services: Services, tenant: str) -> Sound | Broken:
    """Whether the whole chain is as it was written."""
    # Head first: records that come while we read stand behind it, and are not looked at.
    head = services.audit.head(tenant)
    records = (kept for kept in services.audit.records(tenant) if kept.number <= head.number)
    return verify(records, head.hash)
