"""What starts by itself: the nightly sweep and house-keeping, the weekly reconciliation, the monthly scrub."""

from collections.abc import Callable

from shared.contracts.housekeeping import INSTANCE, KeepHouse, keep_house
from shared.contracts.inspections import InspectAll, inspect_all, instance_of
from shared.contracts.sweep import SweepAll, instance_of_night, sweep_all
from shared.domain.inspections import InspectionKind
from shared.durable.engine import Engine
from shared.durable.register import Blueprint, on_schedule
from shared.services import Services

NIGHTLY = "0 0 0 * * *"
AFTER_MIDNIGHT = "0 30 2 * * *"
SUNDAYS = "0 0 3 * * 0"
MONTHLY = "0 0 4 1 * *"


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    on_schedule(bp, "sweep_every_night", NIGHTLY, _sweeps(services))
    on_schedule(bp, "keep_house_every_night", AFTER_MIDNIGHT, _keeps_house)
    on_schedule(bp, "reconcile_every_week", SUNDAYS, _inspects(services, InspectionKind.RECONCILE))
    on_schedule(bp, "scrub_every_month", MONTHLY, _inspects(services, InspectionKind.SCRUB))
    return bp


def _sweeps(services: Services) -> Callable[[Engine], None]:
    def start(engine: Engine) -> None:
        # Whole minutes: one night's run is a full day after the last, so what waits for 24 hours waits one night.
        at = services.now().replace(second=0, microsecond=0)
        engine.start(sweep_all, SweepAll(at), instance_id=instance_of_night(at))

    return start


def _keeps_house(engine: Engine) -> None:
    engine.start(keep_house, KeepHouse(), instance_id=INSTANCE)


def _inspects(services: Services, kind: InspectionKind) -> Callable[[Engine], None]:
    def start(engine: Engine) -> None:
        at = services.now().replace(second=0, microsecond=0)
        engine.start(inspect_all, InspectAll(kind, at), instance_id=instance_of(kind, at))

    return start
