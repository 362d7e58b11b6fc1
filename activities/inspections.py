"""What a look into an account's storage does."""

from functools import partial

from shared.contracts import inspections as contract
from shared.durable.register import Blueprint, implements
from shared.operations import inspecting
from shared.services import Services


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    implements(bp, contract.next_accounts, partial(inspecting.next_accounts, services))
    implements(bp, contract.inspect_storage, partial(inspecting.inspect_account, services))
    return bp
