"""What the service does by the clock."""

from shared.contracts.housekeeping import INSTANCE, KeepHouse, keep_house
from shared.durable.engine import Engine
from shared.durable.register import Blueprint, at_times

AT_NIGHT = "0 30 2 * * *"
"""Half past two, UTC unless the app says another zone."""


def start_housekeeping(engine: Engine) -> None:
    engine.start(keep_house, KeepHouse(), instance_id=INSTANCE)


def blueprint() -> Blueprint:
    bp = Blueprint()
    at_times(bp, AT_NIGHT, start_housekeeping)
    return bp
