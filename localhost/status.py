"""Orchestrations and entities as the Durable extension's HTTP API shows them."""

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions.internal.compat.history_projection import project_history
from durabletask.internal.history_helpers import collect_history_events
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

NAMES = {
    pb.ORCHESTRATION_STATUS_RUNNING: "Running",
    pb.ORCHESTRATION_STATUS_COMPLETED: "Completed",
    pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW: "ContinuedAsNew",
    pb.ORCHESTRATION_STATUS_FAILED: "Failed",
    pb.ORCHESTRATION_STATUS_CANCELED: "Canceled",
    pb.ORCHESTRATION_STATUS_TERMINATED: "Terminated",
    pb.ORCHESTRATION_STATUS_PENDING: "Pending",
    pb.ORCHESTRATION_STATUS_SUSPENDED: "Suspended",
}
STATUS_NAMES = {name.lower(): status for status, name in NAMES.items()}


def status_json(
    state: pb.OrchestrationState,
    show_input: bool,
    history: Sequence[pb.HistoryEvent] | None = None,
    show_history_output: bool = False,
) -> dict[str, Any]:
    """One instance; a failed one shows its failure's message as output. History only where it is given."""
    output = _payload(state.output)
    if output is None and state.HasField("failureDetails"):
        output = state.failureDetails.errorMessage
    body = {
        "name": state.name,
        "instanceId": state.instanceId,
        "runtimeStatus": NAMES[state.orchestrationStatus],
        "input": _payload(state.input) if show_input else None,
        "customStatus": _payload(state.customStatus),
        "output": output,
        "createdTime": _time(state.createdTimestamp),
        "lastUpdatedTime": _time(state.lastUpdatedTimestamp),
    }
    if history is None:
        return body
    events = collect_history_events([pb.HistoryChunk(events=history)])
    shown = project_history(events, show_input=show_input, show_history_output=show_history_output)
    return {**body, "historyEvents": shown}


def entity_json(entity: pb.EntityMetadata) -> dict[str, Any]:
    _, name, key = entity.instanceId.split("@", 2)
    body = {"entityId": {"name": name, "key": key}, "lastOperationTime": _time(entity.lastModifiedTime)}
    return {**body, "state": _payload(entity.serializedState)} if entity.HasField("serializedState") else body


def _payload(value: StringValue) -> Any:
    """JSON as JSON, what is none as a string, nothing as None."""
    if not value.value:
        return None
    try:
        return json.loads(value.value)
    except ValueError:
        return value.value


def _time(value: Timestamp) -> str:
    return value.ToDatetime(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
