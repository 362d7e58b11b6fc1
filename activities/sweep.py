"""What the sweep does to the world."""

from functools import partial

from shared.contracts import sweep as contract
from shared.durable.register import Blueprint, implements
from shared.operations import clearing, surveying, sweeping
from shared.services import Services


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    implements(bp, contract.survey_accounts, partial(surveying.survey_accounts, services))
    implements(bp, contract.expire_snapshots, partial(sweeping.expire_snapshots, services))
    implements(bp, contract.delete_packs, partial(sweeping.delete_packs, services))
    implements(bp, contract.doom_packs, partial(sweeping.doom_packs, services))
    implements(bp, contract.condemn_packs, partial(sweeping.condemn_packs, services))
    implements(bp, contract.clear_sessions, partial(clearing.clear_sessions, services))
    implements(bp, contract.report_sweep, partial(clearing.report_sweep, services))
    return bp
