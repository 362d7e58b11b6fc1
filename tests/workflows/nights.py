"""Sweeps and inspections on activities that work in memory, started by the real timers: for the virtual clock."""

from pathlib import Path

from pydantic import SecretStr

import triggers.timers
from orchestrators.inspections import inspect_account, inspect_all
from orchestrators.sweep import sweep_account, sweep_all
from shared.contracts import inspections, sweep
from shared.contracts.inspections import AccountsWindow, InspectAccount, NextAccounts
from shared.contracts.sweep import (
    AccountKey,
    AccountsSurveyed,
    DeletePacks,
    PacksCondemned,
    PacksDeleted,
    PacksDoomed,
    ReportSweep,
    SessionsCleared,
    SnapshotsExpired,
    SurveyAccounts,
    SweepAccount,
)
from shared.domain.deletions import SweepReport
from shared.domain.ids import AccountId, CustomerId
from shared.domain.inspections import Inspection
from shared.durable.register import Blueprint, implements, orchestrates
from shared.services import Services
from shared.settings import Settings

QUIET, SWEPT, FAILING = (AccountKey(CustomerId.of_number(1), AccountId.of_number(n)) for n in (1, 2, 3))
WINDOWS = {None: ((QUIET,), QUIET), QUIET: ((SWEPT, FAILING), None)}
"""By the account after which it begins: a window's accounts, and the last of them if there are more."""


def survey(order: SurveyAccounts) -> AccountsSurveyed:
    accounts, last = WINDOWS[order.after]
    return AccountsSurveyed(len(accounts), tuple(key for key in accounts if key != QUIET), last)


def delete(order: DeletePacks) -> PacksDeleted:
    """In two windows."""
    return PacksDeleted(None, "", 2, 2) if order.after else PacksDeleted("set", "half", 1, 2)


def doom(order: SweepAccount) -> PacksDoomed:
    _stumble(order.account)
    return PacksDoomed(2, 0)


def inspect(order: InspectAccount) -> Inspection:
    _stumble(order.account)
    return Inspection(order.account, order.at, order.kind, 3, 300)


def blueprint() -> Blueprint:
    bp = triggers.timers.blueprint(_services())
    implements(bp, sweep.survey_accounts, survey)
    implements(bp, sweep.expire_snapshots, lambda _: SnapshotsExpired(1, 1))
    implements(bp, sweep.delete_packs, delete)
    implements(bp, sweep.doom_packs, doom)
    implements(bp, sweep.condemn_packs, lambda _: PacksCondemned(1, "N"))
    implements(bp, sweep.clear_sessions, lambda _: SessionsCleared(1))
    implements(bp, sweep.report_sweep, report)
    implements(bp, inspections.next_accounts, window)
    implements(bp, inspections.inspect_storage, inspect)
    orchestrates(bp, sweep.sweep_all, sweep_all)
    orchestrates(bp, sweep.sweep_account, sweep_account)
    orchestrates(bp, inspections.inspect_all, inspect_all)
    orchestrates(bp, inspections.inspect_account, inspect_account)
    return bp


def report(order: ReportSweep) -> SweepReport:
    return SweepReport(order.account, order.at, freed_bytes=64, skipped=order.skipped)


def window(order: NextAccounts) -> AccountsWindow:
    return AccountsWindow(*WINDOWS[order.after])


def _stumble(account: AccountId) -> None:
    if account == FAILING.account:
        raise OSError("storage is away")


def _services() -> Services:
    """A clock is all that timers want of them."""
    none = SecretStr("none")
    return Services(Settings(storage=none, signing_keys=none, ca=none, key_dir=Path()))
