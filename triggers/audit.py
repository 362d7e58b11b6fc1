"""Reading the audit log, and checking it."""

import re
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice

from shared.api.audit import AuditAnchor, AuditRecord, AuditVerdict
from shared.api.base import Page
from shared.domain.audit import Anchor, Broken, Deed, Record, Sound
from shared.domain.errors import Malformed
from shared.domain.ids import CustomerId
from shared.operations import audit, customers
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint

FILTERS = ("deed", "actor")
ANCHOR = ("records", "head")

_HEAD = re.compile("[0-9a-f]{64}")


def list_own_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """The customer's audit log, oldest first; `deed` and `actor` filter it."""
    return _page(call, _own(call))


def list_customer_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """A customer's audit log, for the provider."""
    return _page(call, _named(call))


def export_own_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """The same as JSON lines, to keep and to check elsewhere; `Link` says where it goes on."""
    return _page(call, _own(call))


def export_customer_acts(call: Call[NoBody]) -> Page[AuditRecord]:
    """A customer's audit log as JSON lines, for the provider."""
    return _page(call, _named(call))


def anchor_own_acts(call: Call[NoBody]) -> AuditAnchor:
    """What to keep of the customer's audit log, so that nobody rewrites it unnoticed."""
    return _anchor(call, _own(call))


def anchor_customer_acts(call: Call[NoBody]) -> AuditAnchor:
    """The same, for the provider."""
    return _anchor(call, _named(call))


def verify_own_acts(call: Call[NoBody]) -> AuditVerdict:
    """Whether the customer's audit log is as it was written; `records` and `head` are an anchor's."""
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
    deed, actor = call.filter("deed", Deed), call.request.params.get("actor")
    return deed in {None, record.act.deed} and (actor is None or record.act.actor == actor)


def _number(text: str, name: str = "after") -> int:
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise Malformed(name, "is the number of a record")
    return int(text or 0)


def _anchor(call: Call[NoBody], tenant: str) -> AuditAnchor:
    return AuditAnchor.model_validate(audit.anchor(call.services, tenant, call.services.now()), from_attributes=True)


def _kept(call: Call[NoBody]) -> Anchor | None:
    """The anchor that the caller wrote down."""
    records, head = call.request.params.get("records"), call.request.params.get("head")
    if records is None and head is None:
        return None
    if head is None or not _HEAD.fullmatch(head):
        raise Malformed("head", "is the `head` of an anchor, 64 hex digits")
    return Anchor(_number(records or "", "records"), head, call.services.now())


def _verdict(call: Call[NoBody], tenant: str) -> AuditVerdict:
    head = call.services.audit.head(tenant).hash
    match audit.check(call.services, tenant, _kept(call)):
        case Sound(records, head):
            return AuditVerdict(sound=True, records=records, head=head)
        case Broken(number, reason):
            return AuditVerdict(sound=False, records=number - 1, head=head, broken_at=number, reason=reason)


def _list(
    path: str,
    handler: Callable[[Call[NoBody]], Page[AuditRecord]],
    who: Who,
    lines: type[AuditRecord] | None = None,
) -> Endpoint[NoBody, Page[AuditRecord]]:
    return Endpoint(
        "GET",
        path,
        handler,
        who,
        NoBody,
        Page[AuditRecord],
        pages=True,
        lines=lines,
        filters=FILTERS,
        audited=Deed.READ_AUDIT,
    )


def _verify(path: str, handler: Callable[[Call[NoBody]], AuditVerdict], who: Who) -> Endpoint[NoBody, AuditVerdict]:
    return Endpoint("GET", path, handler, who, NoBody, AuditVerdict, filters=ANCHOR)


_CUSTOMER = "/customers/{customer}/audit"


ENDPOINTS = (
    _list("/audit", list_own_acts, Who.ADMIN),
    _list(_CUSTOMER, list_customer_acts, Who.AUDITOR),
    _list("/audit/export", export_own_acts, Who.ADMIN, AuditRecord),
    _list(f"{_CUSTOMER}/export", export_customer_acts, Who.AUDITOR, AuditRecord),
    Endpoint("GET", "/audit/anchor", anchor_own_acts, Who.ADMIN, NoBody, AuditAnchor),
    Endpoint("GET", f"{_CUSTOMER}/anchor", anchor_customer_acts, Who.AUDITOR, NoBody, AuditAnchor),
    _verify("/audit/verify", verify_own_acts, Who.ADMIN),
    _verify(f"{_CUSTOMER}/verify", verify_customer_acts, Who.AUDITOR),
)
