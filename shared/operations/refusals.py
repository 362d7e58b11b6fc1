"""Who was refused at the door: in the audit log of the tenant whose user or device it claimed to be."""

import logging

from shared.domain.audit import Act, Deed
from shared.domain.families import Family
from shared.domain.ids import CustomerId, UserId
from shared.domain.lockout import FREE_FOR_USER
from shared.domain.refusals import worth_a_record
from shared.domain.tenancy import Device, User
from shared.operations import audit, lockout
from shared.services import Services
from shared.storage.users import tenant_of

UNKNOWN = "unknown"
"""The actor who could not prove to be one."""

_LOG = logging.getLogger("hort.door")


def log_in(services: Services, user: User | None, failures: int, address: str | None) -> None:
    """A record when the lock-out begins, and whenever the failures have doubled. A name that nobody has concerns no
    tenant: that goes to the service's own log, and takes as long."""
    if not worth_a_record(failures, FREE_FOR_USER):
        return
    path = _path(user.customer, user.id) if user else "/"
    act = _act(services, Deed.LOG_IN, path, address, failures)
    if user is None:
        _LOG.warning("log-in: a name that nobody has, %s, from %s", act.outcome, act.address)
        services.audit.pretend(act)
    else:
        audit.record(services, tenant_of(user.customer), act)


def assertion(services: Services, device: Device, address: str | None) -> None:
    """A record of the first, and whenever they have doubled; a day without one forgets them."""
    failures = lockout.count_refusal(services, device.id)
    if worth_a_record(failures, first=1):
        path = f"/accounts/{device.account}/devices/{device.id}"
        audit.record(services, device.customer, _act(services, Deed.ASSERT, path, address, failures))


def reuse(services: Services, family: Family, address: str | None) -> None:
    """A record for a session that ends because somebody has a copy of its token; it ends once."""
    path = _path(family.customer, family.user)
    audit.record(services, tenant_of(family.customer), _act(services, Deed.REUSE_TOKEN, path, address, 1))


def _act(services: Services, deed: Deed, subject: str, address: str | None, times: int) -> Act:
    return Act(services.now(), UNKNOWN, deed, subject, address or "local", f"refused {times} times")


def _path(customer: CustomerId | None, user: UserId) -> str:
    return f"/customers/{customer}/users/{user}" if customer else f"/provider/users/{user}"
