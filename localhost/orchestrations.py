"""The life of orchestrations: start, generations, termination, purge, and handing them out.

Fixed here: `start_at`, recursive termination, events for instances that ended, ids that may be used again, clients
that wait longer than 30 s.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import override
from uuid import uuid4

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from localhost.alarms import Alarm
from localhost.calls import LOCAL_CALL
from localhost.clock import Clock
from localhost.outstanding import id_problem
from localhost.waiting import WaitingBackend

FOREVER_SECONDS = threading.TIMEOUT_MAX
TERMINAL = {pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_FAILED, pb.ORCHESTRATION_STATUS_TERMINATED}


class OrchestrationBackend(WaitingBackend):
    """The life of orchestrations; `allow_replacing_running` is host.json's `overridableExistingInstanceStates`."""

    def __init__(self, clock: Clock, *, allow_replacing_running: bool = False, max_orchestrations: int = 32) -> None:
        super().__init__(clock)
        self._not_before: dict[str, Alarm] = {}
        self._stamps: dict[str, pb.HistoryEvent] = {}
        self._allow_replacing_running = allow_replacing_running
        self._max_orchestrations = max_orchestrations

    # --- start, end and what lies between

    @override
    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Starts an instance, or replaces one that ended (the Durable extension's `NonRunningStates`)."""
        with self._lock:
            request.instanceId = request.instanceId or uuid4().hex
            if problem := id_problem(request.instanceId):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
            self._make_room(request, context)
            when = (
                request.scheduledStartTimestamp.ToDatetime(UTC) if request.HasField("scheduledStartTimestamp") else None
            )
            if when:
                self._hold_until(request.instanceId, when)
            reply = super().StartInstance(request, context)
            started = self._instances[request.instanceId].pending_events[1].executionStarted
            if when:
                started.scheduledStartTimestamp.CopyFrom(request.scheduledStartTimestamp)
            return reply

    def _make_room(self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext) -> None:
        existing = self._instances.get(request.instanceId)
        if existing is None:
            return
        replaceable = set(request.orchestrationIdReusePolicy.replaceableStatus) or TERMINAL
        if existing.status not in replaceable and not self._allow_replacing_running:
            message = f"An Orchestration instance with the ID '{request.instanceId}' already exists."
            context.abort(grpc.StatusCode.ALREADY_EXISTS, message)
        self._forget(request.instanceId)
        del self._instances[request.instanceId]

    def _hold_until(self, instance_id: str, when: datetime) -> None:
        if when <= self.clock.now():
            return

        def start() -> None:
            del self._not_before[instance_id]
            self._enqueue_orchestration(instance_id)

        self._not_before[instance_id] = self.alarms.set(when, start)

    def _let_go(self, instance_id: str) -> None:
        if alarm := self._not_before.pop(instance_id, None):
            alarm.cancelled = True

    @override
    def _enqueue_orchestration(self, instance_id: str) -> None:
        if instance_id in self._not_before:
            self._touch(instance_id)
        else:
            super()._enqueue_orchestration(instance_id)

    @override
    def _create_instance_internal(
        self, instance_id: str, name: str, encoded_input: str | None = None, version: str | None = None
    ) -> None:
        existing = self._instances.get(instance_id)
        if existing and self._is_terminal_status(existing.status):
            self._forget(instance_id)
        super()._create_instance_internal(instance_id, name, encoded_input, version)

    @override
    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        with self._lock:
            instance = self._instances.get(request.instanceId)
            if instance is None or str(instance.completion_token) != request.completionToken:
                self._wake()
                return pb.CompleteTaskResponse()
            before = len(instance.history)
            self._stamps.pop(request.instanceId, None)
            reply = super().CompleteOrchestratorTask(request, context)
            self._touch(request.instanceId)
            if self._is_terminal_status(instance.status):
                self._end(instance, instance.history[before:])
            elif instance.pending_events:
                self._enqueue_orchestration(request.instanceId)
            return reply

    def _end(self, instance: OrchestrationInstance, last_events: list[pb.HistoryEvent]) -> None:
        children = list(self._awaited(instance.instance_id).children.values())
        self._drop_outstanding(instance.instance_id)
        self._release_locks_of(instance.instance_id)
        terminations = [e.executionTerminated for e in last_events if e.HasField("executionTerminated")]
        if instance.status == pb.ORCHESTRATION_STATUS_TERMINATED and any(t.recurse for t in terminations):
            for child in children:
                self._terminate_instance_internal(child, terminations[-1].input.value, recursive=True)
        self._tell_parent(instance)

    @override
    def _terminate_instance_internal(self, instance_id: str, output: str | None, recursive: bool = False) -> None:
        """Asks the instance to end; its children are told when it does, so that none started meanwhile is missed."""
        instance = self._instances.get(instance_id)
        if instance and instance_id in self._not_before:
            self._let_go(instance_id)
            self._end_unbegun(instance, output)
            return
        super()._terminate_instance_internal(instance_id, output)
        if recursive and instance and not self._is_terminal_status(instance.status):
            instance.pending_events[-1].executionTerminated.recurse = True

    def _end_unbegun(self, instance: OrchestrationInstance, output: str | None) -> None:
        """A start in the future that is called off runs none of its code."""
        token = self._take_orchestration(instance).completionToken
        complete = pb.CompleteOrchestrationAction(
            orchestrationStatus=pb.ORCHESTRATION_STATUS_TERMINATED, result=helpers.get_string_value(output)
        )
        action = pb.OrchestratorAction(id=-1, completeOrchestration=complete)
        response = pb.OrchestratorResponse(instanceId=instance.instance_id, actions=[action], completionToken=token)
        self.CompleteOrchestratorTask(response, LOCAL_CALL)

    @override
    def RaiseEvent(self, request: pb.RaiseEventRequest, context: grpc.ServicerContext) -> pb.RaiseEventResponse:
        """An event for an instance that ended is dropped; one for a suspended instance is kept."""
        with self._lock:
            instance = self._instances.get(request.instanceId)
            if instance and self._is_terminal_status(instance.status):
                return pb.RaiseEventResponse()
            reply = super().RaiseEvent(request, context)
            self._touch(request.instanceId)
            return reply

    @override
    def PurgeInstances(
        self, request: pb.PurgeInstancesRequest, context: grpc.ServicerContext
    ) -> pb.PurgeInstancesResponse:
        with self._lock:
            before = set(self._instances)
            reply = super().PurgeInstances(request, context)
            for instance_id in before - self._instances.keys():
                self._forget(instance_id)
            return reply

    def _forget(self, instance_id: str) -> None:
        """Drops all that would tie a later instance of the same id to this one."""
        self._drop_outstanding(instance_id)
        self._release_locks_of(instance_id)
        self._let_go(instance_id)
        self._parents.pop(instance_id, None)
        self._orchestration_in_flight.discard(instance_id)
        self._touch(instance_id)

    # --- generations

    @override
    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        parent = self._parents.get(instance.instance_id)
        super()._process_complete_orchestration_action(instance, complete_action)
        if complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self.ledger.history_replaced(instance.instance_id)
            self._drop_outstanding(instance.instance_id)
            if parent:
                self._write_parent(instance, parent)

    @override
    def _process_rewind_orchestration_action(
        self, instance: OrchestrationInstance, rewind_action: pb.RewindOrchestrationAction
    ) -> None:
        self.ledger.history_replaced(instance.instance_id)
        super()._process_rewind_orchestration_action(instance, rewind_action)
        self._rearm(instance)

    # --- waiting clients

    @override
    def _wait_for_state(
        self, instance_id: str, predicate: Callable[[OrchestrationInstance], bool], timeout: float | None
    ) -> OrchestrationInstance | None:
        """Waits as long as the client does; the stock backend gives up after 30 s."""
        return super()._wait_for_state(instance_id, predicate, min(timeout or FOREVER_SECONDS, FOREVER_SECONDS))

    # --- dispatch

    def _take_orchestrations(self) -> list[pb.WorkItem]:
        items: list[pb.WorkItem] = []
        for _ in range(len(self._orchestration_queue)):
            if len(self._orchestration_in_flight) >= self._max_orchestrations:
                break
            instance_id = self._orchestration_queue.popleft()
            if instance_id in self._orchestration_in_flight:
                self._orchestration_queue.append(instance_id)
            elif instance_id in self._orchestration_queue_set:
                self._orchestration_queue_set.discard(instance_id)
                instance = self._instances.get(instance_id)
                if instance and instance.pending_events and not self._is_terminal_status(instance.status):
                    items.append(self._take_orchestration(instance))
        return items

    def _take_orchestration(self, instance: OrchestrationInstance) -> pb.WorkItem:
        instance.dispatched_events = list(instance.pending_events)
        instance.pending_events.clear()
        if not instance.dispatched_events[0].HasField("orchestratorStarted"):
            stamp = helpers.new_orchestrator_started_event(self.clock.now())
            self._stamps[instance.instance_id] = stamp
            instance.dispatched_events.insert(0, stamp)
        self._orchestration_in_flight.add(instance.instance_id)
        request = pb.OrchestratorRequest(
            instanceId=instance.instance_id, pastEvents=instance.history, newEvents=instance.dispatched_events
        )
        return pb.WorkItem(completionToken=str(instance.completion_token), orchestratorRequest=request)

    @override
    def _inbox_of(self, instance: OrchestrationInstance) -> list[pb.HistoryEvent]:
        stamp = self._stamps.get(instance.instance_id)
        return [event for event in super()._inbox_of(instance) if event is not stamp]
