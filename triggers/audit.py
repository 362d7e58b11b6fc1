"""Reading the audit log, and checking it."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import islice

from shared.api.audit import AuditRecord, AuditVerdict
from shared.api.base import Page
from shared.domain.audit import Broken, Deed, Record, Sound
from shared.domain.errors import Malformed
from shared.domain.ids import CustomerId
from shared.operations import audit, customers
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint

FILTERS = ("deed", "actor")


def list_own_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """The customer's audit log, oldest first; `deed` and `actor` filter it."""
    return _page(call, _own(call))


def list_customer_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """A customer's audit log, for the provider."""
    return _page(call, _named(call))


def verify_own_acts(call: Call[NoBody]) -> AuditVerdict:
    """Whether the customer's audit log is as it was written."""
    return _verdict(call, _own(call))


def verify_customer_acts(call: Call[NoBody]) -> AuditVerdict:
    """The same, for the provider."""
    return _verdict(call, _named(call))


def _own(call: Call[NoBody]) -> str:
    assert call.who.customer is not None, "the audience are the customer's own"
    return call.who.customer


def _named(call: Call[NoBody]) -> str:
    return customers.get_customer(call.services, call.id(CustomerId)).id


def _page(call: Call[NoBody], tenant: str) -> Page[AuditRecord]:
    limit, after = call.limit(), _number(call.after())
    wanted = (record for record in call.services.audit.records(tenant, after=after) if _fits(call, record))
    found = list(islice(wanted, limit))
    return Page(items=[_shown(r) for r in found], next=str(found[-1].number) if len(found) == limit else None)


def _shown(record: Record) -> AuditRecord:
    flat = {**asdict(record.act), "number": record.number, "previous": record.previous, "hash": record.hash}
    return AuditRecord.model_validate(flat)


def _fits(call: Call[NoBody], record: Record) -> bool:
    deed, actor = call.request.params.get("deed"), call.request.params.get("actor")
    return (deed is None or record.act.deed == _deed(deed)) and (actor is None or record.act.actor == actor)


def _deed(text: str) -> Deed:
    try:
        return Deed(text)
    except ValueError:
        raise Malformed("deed", f"is one of {', '.join(Deed)}") from None


def _number(after: str) -> int:
    if after and not (after.isascii() and after.isdecimal() and len(after) <= 12):
        raise Malformed("after", "is the number of a record")
    return int(after or 0)


def _verdict(call: Call[NoBody], tenant: str) -> AuditVerdict:
    head = call.services.audit.head(tenant).hash
    match audit.check(call.services, tenant):
        case Sound(records, head):
            return AuditVerdict(sound=True, records=records, head=head)
        case Broken(number, reason):
            return AuditVerdict(sound=False, records=number - 1, head=head, broken_at=number, reason=reason)


def _list(
    path: str, handler: Callable[[Call[NoBody]], Page[AuditRecord]], who: Who
) -> Endpoint[NoBody, Page[AuditRecord]]:
    return Endpoint(
        "GET", path, handler, who, NoBody, Page[AuditRecord], pages=True, filters=FILTERS, audited=Deed.READ_AUDIT
    )


ENDPOINTS = (
    _list("/audit", list_own_acts, Who.ADMIN),
    _list("/customers/{customer}/audit", list_customer_acts, Who.AUDITOR),
    Endpoint("GET", "/audit/verify", verify_own_acts, Who.ADMIN, NoBody, AuditVerdict),
    Endpoint("GET", "/customers/{customer}/audit/verify", verify_customer_acts, Who.AUDITOR, NoBody, AuditVerdict),
)
