"""Sweeps: started by hand, watched, and accounted for."""

from datetime import datetime
from http import HTTPStatus

from shared.api import sweeps as api
from shared.api.base import Page
from shared.contracts.sweep import SweepAccount, SweepStatus, instance_of, sweep_account
from shared.domain.audit import Deed
from shared.domain.deletions import SweepReport
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId
from shared.domain.tenancy import Account
from shared.operations import customers
from shared.storage.deletions import DELETIONS, SWEEPS
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def start_sweep(call: Call[NoBody]) -> api.Sweep:
    """Sweep one account now; while one runs, nothing new is started."""
    account = _account(call)
    order = SweepAccount(account.customer, account.id, call.services.now())
    call.engine.start(sweep_account, order, instance_id=instance_of(account.id))
    return _sweep(call, account)


def get_sweep(call: Call[NoBody]) -> api.Sweep:
    """How far the sweep that was started by hand is, and what the latest one did."""
    return _sweep(call, _account(call))


def list_sweep_reports(call: Call[NoBody]) -> Page[api.SweepReport]:
    """What the account's sweeps did, the latest first."""
    account, limit = _account(call), call.limit()
    after = call.after() and SWEEPS.key(SweepReport(account.id, _moment(call.after())))[1]
    found = call.services.sweeps.page(account.id, after=after, limit=limit)
    items = [api.SweepReport.model_validate(report, from_attributes=True) for report in found]
    return Page(items=items, next=found[-1].at.isoformat() if len(found) == limit else None)


def list_deletions(call: Call[NoBody]) -> Page[api.Deletion]:
    """Everything that was ever deleted of the account, with the reason, oldest first."""
    account, limit = _account(call), call.limit()
    found = call.services.deletions.page(account.id, after=call.after(), limit=limit)
    items = [api.Deletion.model_validate(entry, from_attributes=True) for entry in found]
    return Page(items=items, next=DELETIONS.key(found[-1])[1] if len(found) == limit else None)


def _account(call: Call[NoBody]) -> Account:
    return customers.get_account(call.services, call.customer, call.id(AccountId))


def _sweep(call: Call[NoBody], account: Account) -> api.Sweep:
    status = call.engine.status(SweepStatus, instance_id=instance_of(account.id))
    latest = call.services.sweeps.page(account.id, limit=1)
    return api.Sweep(
        account=account.id,
        running=call.engine.is_under_way(instance_of(account.id)),
        step=status and status.step,
        done=status.done if status else 0,
        of=status.of if status else 0,
        latest=api.SweepReport.model_validate(latest[0], from_attributes=True) if latest else None,
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("after", "is not a cursor of this list") from None


_ACCOUNT = "/customers/{customer}/accounts/{account}"

ENDPOINTS = (
    Endpoint(
        "POST",
        f"{_ACCOUNT}/sweep",
        start_sweep,
        Who.OPERATOR,
        NoBody,
        api.Sweep,
        status=HTTPStatus.ACCEPTED,
        workflows=True,
        audited=Deed.START_SWEEP,
    ),
    Endpoint("GET", f"{_ACCOUNT}/sweep", get_sweep, Who.KEEPER, NoBody, api.Sweep, workflows=True),
    Endpoint(
        "GET", f"{_ACCOUNT}/sweep-reports", list_sweep_reports, Who.KEEPER, NoBody, Page[api.SweepReport], pages=True
    ),
    Endpoint("GET", f"{_ACCOUNT}/deletions", list_deletions, Who.KEEPER, NoBody, Page[api.Deletion], pages=True),
)
