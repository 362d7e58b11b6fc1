"""One account's sweep without Durable Functions: the operations, in the order of `orchestrators.sweep`."""

from shared.contracts.sweep import DeletePacks, ReportSweep, SweepAccount
from shared.domain.deletions import SweepReport
from shared.operations import clearing, sweeping
from shared.services import Services


def sweep(services: Services, order: SweepAccount) -> SweepReport:
    _delete(services, order)
    sweeping.expire_snapshots(services, order)
    sweeping.doom_packs(services, order)
    _delete(services, order)
    sweeping.condemn_packs(services, order)
    clearing.clear_sessions(services, order)
    return clearing.report_sweep(services, ReportSweep(order.account, order.at))


def _delete(services: Services, order: SweepAccount) -> None:
    step = sweeping.delete_packs(services, DeletePacks(order.account))
    while step.packs is not None:
        step = sweeping.delete_packs(services, DeletePacks(order.account, step.packs, step.after))
