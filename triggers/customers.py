"""What the provider's operators set up."""

from http import HTTPStatus

from shared.api.base import Page
from shared.api.tenancy import Account, CreateAccount, CreateCustomer, Customer
from shared.domain.audit import Deed
from shared.domain.ids import AccountId, CustomerId
from shared.operations import customers
from shared.storage.tenants import CUSTOMERS_PARTITION
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def create_customer(call: Call[CreateCustomer]) -> Customer:
    """A new customer."""
    made = customers.create_customer(call.services, call.new(CustomerId), call.body.name)
    return Customer.model_validate(made, from_attributes=True)


def list_customers(call: Call[NoBody]) -> Page[Customer]:
    """All customers, oldest first."""
    limit = call.limit()
    found = call.services.customers.page(CUSTOMERS_PARTITION, after=call.after(), limit=limit)
    return page_of([Customer.model_validate(c, from_attributes=True) for c in found], limit)


def create_account(call: Call[CreateAccount]) -> Account:
    """A new account for a customer: a vault with nothing in it."""
    made = customers.create_account(call.services, call.new(AccountId), call.id(CustomerId), call.body.name)
    return Account.model_validate(made, from_attributes=True)


CREATED = HTTPStatus.CREATED
ENDPOINTS = (
    Endpoint(
        "POST",
        "/customers",
        create_customer,
        Who.OPERATOR,
        CreateCustomer,
        Customer,
        status=CREATED,
        creates=True,
        audited=Deed.CREATE_CUSTOMER,
    ),
    Endpoint("GET", "/customers", list_customers, Who.STAFF, NoBody, Page[Customer], pages=True),
    Endpoint(
        "POST",
        "/customers/{customer}/accounts",
        create_account,
        Who.OPERATOR,
        CreateAccount,
        Account,
        status=CREATED,
        creates=True,
        audited=Deed.CREATE_ACCOUNT,
    ),
)
