"""Starting workflows and speaking to them from outside."""

from dataclasses import dataclass
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions import SyncDurableFunctionsClient
from durabletask.client import OrchestrationStatus
from grpc import Call, RpcError, StatusCode

from shared.durable import wire
from shared.durable.calls import WorkflowCall
from shared.durable.events import Event

_REPLACES_ENDED = pb.OrchestrationIdReusePolicy(
    replaceableStatus=[
        pb.ORCHESTRATION_STATUS_COMPLETED,
        pb.ORCHESTRATION_STATUS_FAILED,
        pb.ORCHESTRATION_STATUS_TERMINATED,
    ]
)
"""Said with each start: without it some backends refuse the id of an instance that ended."""
_UNDER_WAY = frozenset({OrchestrationStatus.PENDING, OrchestrationStatus.RUNNING, OrchestrationStatus.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Engine:
    """The durable client that the host hands to a function, with types."""

    client: SyncDurableFunctionsClient

    def start[I](self, call: WorkflowCall[I, Any], request: I, *, instance_id: str) -> bool:
        """Start a workflow; false if one of this id is under way already: twice is as good as once."""
        if self.is_under_way(instance_id):
            return False
        try:
            self.client.schedule_new_orchestration(
                call.name,
                input=wire.encode(request, call.request),
                instance_id=instance_id,
                reuse_id_policy=_REPLACES_ENDED,
            )
        except RpcError as refused:
            if _code(refused) is not StatusCode.ALREADY_EXISTS:
                raise
            return False
        return True

    def is_under_way(self, instance_id: str) -> bool:
        state = self.client.get_orchestration_state(instance_id, fetch_payloads=False)
        return state is not None and state.runtime_status in _UNDER_WAY

    def tell[T](self, event: Event[T], payload: T, *, instance_id: str) -> None:
        """Send an event; one that nobody waits for any more is dropped, as a letter to a house that is gone."""
        try:
            self.client.raise_orchestration_event(instance_id, event.name, data=event.encode(payload))
        except RpcError as refused:
            if _code(refused) not in (StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION):
                raise

    def status[S](self, kind: type[S], *, instance_id: str) -> S | None:
        """The custom status a workflow last reported, as `kind`."""
        state = self.client.get_orchestration_state(instance_id)
        if state is None or state.serialized_custom_status is None:
            return None
        return wire.decode(state.get_custom_status(), kind)


def _code(error: RpcError) -> StatusCode | None:
    return error.code() if isinstance(error, Call) else None
