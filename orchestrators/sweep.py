"""The nightly sweep: every account in windows, and each that has something to do in a workflow of its own."""

from dataclasses import replace

from shared.contracts.sweep import (
    DeletePacks,
    ReportSweep,
    SurveyAccounts,
    SweepAccount,
    SweepAll,
    SweepEnded,
    SweepStatus,
    Totals,
    clear_sessions,
    condemn_packs,
    delete_packs,
    doom_packs,
    expire_snapshots,
    instance_of_night,
    report_sweep,
    survey_accounts,
)
from shared.contracts.sweep import sweep_account as sweep_account_call
from shared.contracts.sweep import sweep_all as sweep_all_call
from shared.durable.calls import Context, StepFailed, Workflow
from shared.durable.status import report

WINDOW = 100
"""Accounts that are looked at together; each window starts over with a short history."""


def sweep_all(ctx: Context, night: SweepAll) -> Workflow[Totals | None]:
    window = yield from survey_accounts(ctx, SurveyAccounts(night.at, night.after, WINDOW))
    orders = [SweepAccount(key.customer, key.account, night.at) for key in window.to_sweep]
    ended = yield from sweep_account_call.each(ctx, {instance_of_night(night.at, o.account): o for o in orders})
    totals = _added(night.totals, window.looked_at, ended)
    if window.last is None:
        return totals
    sweep_all_call.again(ctx, replace(night, after=window.last, totals=totals))
    return None


def sweep_account(ctx: Context, order: SweepAccount) -> Workflow[SweepEnded]:
    """Ends well in any case: one account's trouble must not stop the night of the others."""
    try:
        return (yield from _sweep(ctx, order))
    except StepFailed as failed:
        return (yield from _stopped(ctx, order, str(failed)))


def _stopped(ctx: Context, order: SweepAccount, failure: str) -> Workflow[SweepEnded]:
    """Tells why, where people look, if that much can be done."""
    told = ReportSweep(order.account, order.at, skipped=(f"the sweep stopped half-way: {failure}",))
    try:
        return SweepEnded(order.account, (yield from report_sweep(ctx, told)), failure)
    except StepFailed:
        return SweepEnded(order.account, None, failure)


def _sweep(ctx: Context, order: SweepAccount) -> Workflow[SweepEnded]:
    yield from _delete(ctx, order)  # what an earlier sweep could not finish
    yield from expire_snapshots(ctx, order)
    yield from doom_packs(ctx, order)
    yield from _delete(ctx, order)
    condemned = yield from condemn_packs(ctx, order)
    yield from clear_sessions(ctx, order)
    skipped = () if condemned.skipped is None else (condemned.skipped,)
    written = yield from report_sweep(ctx, ReportSweep(order.account, order.at, skipped))
    return SweepEnded(order.account, written)


def _delete(ctx: Context, order: SweepAccount) -> Workflow[None]:
    step = yield from delete_packs(ctx, DeletePacks(order.account))
    while step.packs is not None:
        report(ctx, SweepStatus("deleting packs", step.done, step.of), SweepStatus)
        step = yield from delete_packs(ctx, DeletePacks(order.account, step.packs, step.after))


def _added(totals: Totals, looked_at: int, ended: list[SweepEnded]) -> Totals:
    return Totals(
        accounts=totals.accounts + looked_at,
        swept=totals.swept + len(ended),
        failed=totals.failed + sum(each.failure is not None for each in ended),
        freed_bytes=totals.freed_bytes + sum(each.report.freed_bytes for each in ended if each.report),
    )
