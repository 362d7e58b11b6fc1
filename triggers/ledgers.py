"""What is kept of a customer beside its vaults: charges and incidents, for the customer and for the provider."""

from shared.api import ledgers as api
from shared.api.base import Page
from shared.domain.ids import AccountId
from shared.domain.incidents import IncidentKind
from shared.domain.prices import ChargeKind
from shared.operations import customers
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of, page_where

FILTERS = ("account", "kind")


def list_charges(call: Call[NoBody]) -> Page[api.Charge]:
    """A customer's charges, oldest first; `account` and `kind` filter them."""
    account, kind = call.filter_id("account", AccountId), call.filter("kind", ChargeKind)
    customer = customers.get_customer(call.services, call.customer).id
    found = page_where(
        call.services.charges.all(customer, past=call.after()),
        lambda charge: account in {None, charge.account} and kind in {None, charge.kind},
        call.limit(),
    )
    items = [api.Charge.model_validate(charge, from_attributes=True) for charge in found]
    return page_of(items, call.limit(), lambda charge: charge.certificate)


def list_incidents(call: Call[NoBody]) -> Page[api.Incident]:
    """A customer's incidents, oldest first; `account` and `kind` filter them."""
    account, kind = call.filter_id("account", AccountId), call.filter("kind", IncidentKind)
    customer = customers.get_customer(call.services, call.customer).id
    found = page_where(
        call.services.incidents.all(customer, past=call.after()),
        lambda incident: account in {None, incident.account} and kind in {None, incident.kind},
        call.limit(),
    )
    return page_of([api.Incident.model_validate(incident, from_attributes=True) for incident in found], call.limit())


ENDPOINTS = (
    Endpoint(
        "GET",
        "/customers/{customer}/charges",
        list_charges,
        Who.PAYER,
        NoBody,
        Page[api.Charge],
        pages=True,
        filters=FILTERS,
    ),
    Endpoint(
        "GET",
        "/customers/{customer}/incidents",
        list_incidents,
        Who.WATCHER,
        NoBody,
        Page[api.Incident],
        pages=True,
        filters=FILTERS,
    ),
)
