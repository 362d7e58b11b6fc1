"""Sweeps and looks into storage: started by hand, watched, and accounted for."""

from http import HTTPStatus

from shared.api import sweeps as api
from shared.api.base import Page
from shared.contracts.sweep import SweepAccount, SweepStatus, instance_of, sweep_account
from shared.domain.audit import Deed
from shared.domain.breach import refuse_if_locked
from shared.domain.ids import AccountId
from shared.domain.tenancy import Account
from shared.operations import customers, logbooks
from shared.operations.logbooks import Window
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def start_sweep(call: Call[NoBody]) -> api.Sweep:
    """Sweep one account now; while one runs, nothing new is started."""
    account = _account(call)
    refuse_if_locked(account)  # it keeps all it has (N16)
    order = SweepAccount(account.customer, account.id, call.services.now())
    call.engine.start(sweep_account, order, instance_id=instance_of(account.id))
    return _sweep(call, account)


def get_sweep(call: Call[NoBody]) -> api.Sweep:
    """How far the sweep that was started by hand is, and what the latest one did."""
    return _sweep(call, _account(call))


def list_sweep_reports(call: Call[NoBody]) -> Page[api.SweepReport]:
    """What the account's sweeps did, the latest first."""
    found = logbooks.sweep_reports(call.services, _window(call))
    items = [api.SweepReport.model_validate(report, from_attributes=True) for report in found.items]
    return Page(items=items, next=found.next)


def list_deletions(call: Call[NoBody]) -> Page[api.Deletion]:
    """Everything that was ever deleted of the account, with the reason, oldest first."""
    found = logbooks.deletions(call.services, _window(call))
    items = [api.Deletion.model_validate(entry, from_attributes=True) for entry in found.items]
    return Page(items=items, next=found.next)


def list_inspections(call: Call[NoBody]) -> Page[api.Inspection]:
    """What the looks into the account's storage found, the latest first."""
    found = logbooks.inspections(call.services, _window(call))
    items = [api.Inspection.model_validate(look, from_attributes=True) for look in found.items]
    return Page(items=items, next=found.next)


def _account(call: Call[NoBody]) -> Account:
    return customers.get_account(call.services, call.customer, call.id(AccountId))


def _window(call: Call[NoBody]) -> Window:
    return Window(_account(call).id, call.after(), call.limit())


def _sweep(call: Call[NoBody], account: Account) -> api.Sweep:
    instance = instance_of(account.id)
    running = call.engine.is_under_way(instance)
    status = call.engine.status(SweepStatus, instance_id=instance) if running else None
    latest = logbooks.latest_report(call.services, account.id)
    return api.Sweep(
        account=account.id,
        running=running,
        step=status and status.step,
        done=status.done if status else 0,
        of=status.of if status else 0,
        latest=latest and api.SweepReport.model_validate(latest, from_attributes=True),
    )


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
    Endpoint("GET", f"{_ACCOUNT}/inspections", list_inspections, Who.KEEPER, NoBody, Page[api.Inspection], pages=True),
)
