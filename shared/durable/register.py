"""Binds typed functions to Azure's decorators; who needs the SDK's own names finds them here."""

from collections.abc import Callable
from typing import Any

from azure.durable_functions import Blueprint, DFApp, SyncDurableFunctionsClient
from azure.functions import HttpRequest, HttpResponse, TimerRequest
from azure.functions.decorators.function_app import FunctionBuilder

from shared.durable import wire
from shared.durable.calls import ActivityCall, Context, Workflow, WorkflowCall
from shared.durable.engine import Engine

__all__ = ["Blueprint", "DFApp", "as_orchestrator", "implements", "on_schedule", "orchestrates", "takes_engine"]

type Orchestrator[I, O] = Callable[[Context, I], Workflow[O | None]]
"""Returns `None` only after `call.again`: what comes next is another run's reply."""


def implements[I, O](bp: Blueprint, call: ActivityCall[I, O], function: Callable[[I], O]) -> None:
    """Register a typed function as the activity behind `call`."""

    def handler(payload: Any) -> Any:
        return wire.encode(function(wire.decode(payload, call.request)), call.reply)

    handler.__name__ = call.name
    bp.activity_trigger(input_name="payload", activity=call.name)(handler)


def orchestrates[I, O](bp: Blueprint, call: WorkflowCall[I, O], workflow: Orchestrator[I, O]) -> None:
    """Register a typed generator as the workflow behind `call`."""
    bp.orchestration_trigger(context_name="context", orchestration=call.name)(as_orchestrator(workflow, call))


def as_orchestrator[I, O](
    workflow: Orchestrator[I, O], call: WorkflowCall[I, O]
) -> Callable[[Context, Any], Workflow[Any]]:
    """The untyped generator that the SDK runs: JSON in, JSON out."""

    def orchestrator(ctx: Context, payload: Any) -> Workflow[Any]:
        reply = yield from workflow(ctx, wire.decode(payload, call.request))
        return None if reply is None else wire.encode(reply, call.reply)

    orchestrator.__name__ = call.name
    return orchestrator


def takes_engine(bp: Blueprint, function: Callable[[HttpRequest, Engine], HttpResponse]) -> FunctionBuilder:
    """An HTTP function that starts workflows or speaks to them; its trigger is still to be added."""

    def handler(req: HttpRequest, client: SyncDurableFunctionsClient) -> HttpResponse:
        return function(req, Engine(client))

    handler.__name__ = function.__name__
    return bp.durable_client_input(client_name="client")(handler)


def on_schedule(bp: Blueprint, name: str, schedule: str, function: Callable[[Engine], None]) -> None:
    """Register a function that starts workflows at the times of an NCRONTAB `schedule`, in UTC."""

    def handler(timer: TimerRequest, client: SyncDurableFunctionsClient) -> None:
        del timer
        function(Engine(client))

    handler.__name__ = name
    bp.timer_trigger(arg_name="timer", schedule=schedule)(bp.durable_client_input(client_name="client")(handler))
