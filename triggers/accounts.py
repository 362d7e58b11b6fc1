"""A customer's accounts, and what closes one when a breach is suspected."""

from shared.api import tenancy as api
from shared.api.base import Page
from shared.domain.audit import Deed
from shared.domain.ids import AccountId, IncidentId
from shared.operations import breach
from shared.operations.breach import LockAccount
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def list_accounts(call: Call[NoBody]) -> Page[api.Account]:
    """The customer's accounts."""
    limit, customer = call.limit(), call.who.customer
    assert customer is not None, "the audience are the customer's own"
    found = call.services.accounts.page(customer, after=call.after(), limit=limit)
    return page_of([api.Account.model_validate(a, from_attributes=True) for a in found], limit)


def lock_account(call: Call[api.LockAccount]) -> api.AccountLock:
    """A breach is suspected: the devices' tokens, sessions and grants end now; the data stays (N16)."""
    order = LockAccount(
        incident=call.new(IncidentId),
        customer=call.customer,
        account=call.id(AccountId),
        by=f"user {call.user.id}",
        note=call.body.note,
    )
    locked = breach.lock(call.services, order)
    account = locked.account
    assert account.incident is not None, "the operation has just locked it"
    assert account.locked_at is not None
    return api.AccountLock(
        account=account.id,
        incident=account.incident,
        locked_at=account.locked_at,
        grants_end_at=locked.grants_end_at,
    )


def unlock_account(call: Call[NoBody]) -> api.Account:
    """Opens the account again, for an administrator who has changed the password since."""
    opened = breach.unlock(call.services, call.account, call.user.id)
    return api.Account.model_validate(opened, from_attributes=True)


ENDPOINTS = (
    Endpoint("GET", "/accounts", list_accounts, Who.USER, NoBody, Page[api.Account], pages=True),
    Endpoint(
        "POST",
        "/customers/{customer}/accounts/{account}/lock",
        lock_account,
        Who.KEEPER,
        api.LockAccount,
        api.AccountLock,
        creates=True,
        audited=Deed.LOCK_ACCOUNT,
    ),
    Endpoint(
        "POST",
        "/accounts/{account}/unlock",
        unlock_account,
        Who.ADMIN,
        NoBody,
        api.Account,
        audited=Deed.UNLOCK_ACCOUNT,
    ),
)
