"""A round of looks into every account's storage, in windows."""

from dataclasses import replace

from shared.contracts.inspections import (
    AccountInspected,
    InspectAccount,
    InspectAll,
    NextAccounts,
    Round,
    inspect_storage,
    instance_of,
    next_accounts,
)
from shared.contracts.inspections import inspect_account as inspect_account_call
from shared.contracts.inspections import inspect_all as inspect_all_call
from shared.durable.calls import Context, StepFailed, Workflow

WINDOW = 50
"""Accounts that are looked at together: listing containers is heavier than reading rows."""


def inspect_all(ctx: Context, order: InspectAll) -> Workflow[Round | None]:
    window = yield from next_accounts(ctx, NextAccounts(order.after, WINDOW))
    looks = {
        instance_of(order.kind, order.at, key.account): InspectAccount(key.customer, key.account, order.kind, order.at)
        for key in window.accounts
    }
    done = _added(order.done, (yield from inspect_account_call.each(ctx, looks)))
    if window.last is None:
        return done
    inspect_all_call.again(ctx, replace(order, after=window.last, done=done))
    return None


def inspect_account(ctx: Context, order: InspectAccount) -> Workflow[AccountInspected]:
    """Ends well in any case: one account's trouble must not stop the round of the others."""
    try:
        return AccountInspected((yield from inspect_storage(ctx, order)))
    except StepFailed as failed:
        return AccountInspected(None, failure=str(failed))


def _added(done: Round, looks: list[AccountInspected]) -> Round:
    found = [look.inspection for look in looks if look.inspection is not None]
    return Round(
        accounts=done.accounts + len(looks),
        failed=done.failed + len(looks) - len(found),
        faults=done.faults + sum(len(each.faults) for each in found),
        strays=done.strays + sum(each.strays for each in found),
    )
