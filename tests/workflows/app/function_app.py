"""The real workflows on activities that work in memory: for the local host's virtual clock."""

import json
from typing import Any

from azure.functions import AuthLevel, HttpRequest, HttpResponse

from orchestrators.seeding import seed_device
from shared.contracts import seeding as contract
from shared.domain.ids import SessionId
from shared.domain.seeding import SeedingState
from shared.durable import wire
from shared.durable.engine import Engine
from shared.durable.events import Event
from shared.durable.register import Blueprint, DFApp, implements, orchestrates, takes_engine
from tests.workflows import nights

EVENTS: dict[str, Event[Any]] = {
    event.name: event for event in (contract.COMMITTED, contract.PROGRESSED, contract.CANCELLED)
}
reminders: list[int] = []
found: dict[str, SessionId] = {}
rows: dict[str, SeedingState] = {}
bp = Blueprint()


def look_for_snapshot(order: contract.LookForSnapshot) -> contract.SnapshotFound:
    return contract.SnapshotFound(found.get(order.device))


def remind_customer(order: contract.RemindCustomer) -> contract.CustomerReminded:
    reminders.append(order.number)
    return contract.CustomerReminded(len(reminders))


def close_seeding(order: contract.CloseSeeding) -> contract.SeedingClosed:
    return contract.SeedingClosed(rows.setdefault(order.device, order.state))


def start(req: HttpRequest, engine: Engine) -> HttpResponse:
    watch = wire.decode(json.loads(req.get_body()), contract.SeedDevice)
    engine.start(contract.seed_device, watch, instance_id=contract.instance_of(watch.device))
    return HttpResponse(status_code=202)


def tell(req: HttpRequest, engine: Engine) -> HttpResponse:
    event = EVENTS[req.route_params["event"]]
    payload = wire.decode(json.loads(req.get_body()), event.payload)
    engine.tell(event, payload, instance_id=req.route_params["instance"])
    return HttpResponse(status_code=202)


def find(req: HttpRequest) -> HttpResponse:
    """From now on a snapshot of this device is in the table."""
    found[req.route_params["device"]] = SessionId.parse(json.loads(req.get_body()))
    return HttpResponse(status_code=204)


implements(bp, contract.look_for_snapshot, look_for_snapshot)
implements(bp, contract.remind_customer, remind_customer)
implements(bp, contract.close_seeding, close_seeding)
orchestrates(bp, contract.seed_device, seed_device)
for route, function in (("start", start), ("tell/{instance}/{event}", tell)):
    bp.route(route=route, auth_level=AuthLevel.ANONYMOUS)(takes_engine(bp, function))
bp.route(route="find/{device}", methods=["POST"], auth_level=AuthLevel.ANONYMOUS)(find)

app = DFApp()
app.register_functions(bp)
app.register_functions(nights.blueprint())
