"""What house-keeping does to the tables."""

from functools import partial

from shared.contracts import housekeeping as contract
from shared.durable.register import Blueprint, implements
from shared.operations import housekeeping
from shared.services import Services


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    implements(bp, contract.sweep, partial(housekeeping.sweep, services))
    return bp
