"""What the watch over a first backup does to the world."""

from functools import partial

from shared.contracts import seeding as contract
from shared.durable.register import Blueprint, implements
from shared.operations import seeding
from shared.services import Services


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    implements(bp, contract.look_for_snapshot, partial(seeding.look_for_snapshot, services))
    implements(bp, contract.remind_customer, partial(seeding.remind_customer, services))
    implements(bp, contract.close_seeding, partial(seeding.close_seeding, services))
    return bp
