"""Orchestrations: what the stock backend leaves out, lets run for ever, or answers wrongly.

Fixed here: sub-orchestrations that take longer than 30 s, `start_at`, recursive termination, timers and activities
of an earlier generation (continue-as-new, purge) that answer a later one, events for ended instances, ids that may
be used again.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import override
from uuid import uuid4

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from localhost.alarms import Alarm
from localhost.calls import LOCAL_CALL
from localhost.clock import Clock
from localhost.entities import EntityBackend
from localhost.outstanding import Outstanding, Parent, activity_work, child_ended, id_problem, unanswered

FOREVER_SECONDS = threading.TIMEOUT_MAX
TERMINAL = {pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_FAILED, pb.ORCHESTRATION_STATUS_TERMINATED}


class OrchestrationBackend(EntityBackend):
    """The life of orchestrations; `allow_replacing_running` is host.json's `overridableExistingInstanceStates`."""

    def __init__(self, clock: Clock, *, allow_replacing_running: bool = False, max_orchestrations: int = 32) -> None:
        super().__init__(clock)
        self._outstanding: dict[str, Outstanding] = {}
        self._parents: dict[str, Parent] = {}
        self._not_before: dict[str, Alarm] = {}
        self._stamps: dict[str, pb.HistoryEvent] = {}
        self._running: set[str] = set()
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
        children = list(self._awaits(instance.instance_id).children.values())
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

    def _drop_outstanding(self, instance_id: str) -> None:
        for alarm in self._outstanding.pop(instance_id, Outstanding()).timers.values():
            alarm.cancelled = True

    def _awaits(self, instance_id: str) -> Outstanding:
        return self._outstanding.setdefault(instance_id, Outstanding())

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

    # --- activities

    @override
    def _process_schedule_task_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        super()._process_schedule_task_action(instance, action)
        self._expect_activity(self._activity_queue[-1])

    def _expect_activity(self, item: ActivityWorkItem) -> None:
        item.completion_token = self._token()
        self._awaits(item.instance_id).activities[item.task_id] = str(item.completion_token)

    @override
    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        with self._lock:
            self._running.discard(request.completionToken)
            expected = self._outstanding.get(request.instanceId, Outstanding()).activities
            if expected.get(request.taskId) != request.completionToken:
                self._wake()  # an answer to a former life: nothing changes, but the host may be idle now
                return pb.CompleteTaskResponse()
            del expected[request.taskId]
            return super().CompleteActivityTask(request, context)

    # --- timers

    @override
    def _process_create_timer_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        fire_at = action.createTimer.fireAt.ToDatetime(UTC)
        instance.history.append(helpers.new_timer_created_event(action.id, fire_at))
        self._arm_timer(instance, action.id, fire_at)

    def _arm_timer(self, instance: OrchestrationInstance, timer_id: int, fire_at: datetime) -> None:
        timers = self._awaits(instance.instance_id).timers

        def fire() -> None:
            del timers[timer_id]
            instance.pending_events.append(helpers.new_timer_fired_event(timer_id, fire_at))
            self._enqueue_orchestration(instance.instance_id)

        timers[timer_id] = self.alarms.set(fire_at, fire)

    # --- sub-orchestrations

    @override
    def _watch_sub_orchestration(self, parent_instance_id: str, sub_instance_id: str, task_id: int) -> None:
        """Notes who waits for the child: its end tells the parent, however long it takes."""
        parent = Parent(parent_instance_id, task_id)
        self._awaits(parent_instance_id).children[task_id] = sub_instance_id
        self._parents[sub_instance_id] = parent
        self._write_parent(self._instances[sub_instance_id], parent)

    def _write_parent(self, child: OrchestrationInstance, parent: Parent) -> None:
        for event in child.pending_events:
            if event.HasField("executionStarted"):
                info = event.executionStarted.parentInstance
                info.taskScheduledId = parent.task_id
                info.orchestrationInstance.instanceId = parent.instance_id

    def _tell_parent(self, child: OrchestrationInstance) -> None:
        parent = self._parents.get(child.instance_id)
        waiting = self._awaits(parent.instance_id).children if parent else {}
        if parent is None or waiting.get(parent.task_id) != child.instance_id:
            return
        del waiting[parent.task_id]
        self._instances[parent.instance_id].pending_events.append(child_ended(child, parent.task_id))
        self._enqueue_orchestration(parent.instance_id)

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
                if instance and instance.pending_events:
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

    def _take_activities(self) -> list[pb.WorkItem]:
        taken = [item for item in self._activity_queue if self._is_expected(item)]
        self._activity_queue.clear()
        self._running.update(str(item.completion_token) for item in taken)
        return [activity_work(item) for item in taken]

    def _is_expected(self, item: ActivityWorkItem) -> bool:
        outstanding = self._outstanding.get(item.instance_id, Outstanding())
        return outstanding.activities.get(item.task_id) == str(item.completion_token)

    # --- after a start

    def _rearm(self, instance: OrchestrationInstance) -> None:
        """Sets in motion again what the history says was begun and has no answer yet."""
        self._drop_outstanding(instance.instance_id)
        for event in unanswered([*instance.history, *instance.pending_events]):
            if event.HasField("taskScheduled"):
                task = event.taskScheduled
                item = ActivityWorkItem(instance.instance_id, task.name, event.eventId, task.input.value, 0)
                self._activity_queue.append(item)
                self._expect_activity(item)
            elif event.HasField("timerCreated"):
                self._arm_timer(instance, event.eventId, event.timerCreated.fireAt.ToDatetime(UTC))
            else:
                self._rejoin(instance, event.eventId, event.subOrchestrationInstanceCreated.instanceId)

    def _rejoin(self, parent: OrchestrationInstance, task_id: int, child_id: str) -> None:
        self._awaits(parent.instance_id).children[task_id] = child_id
        self._parents[child_id] = Parent(parent.instance_id, task_id)
        child = self._instances.get(child_id)
        if child and self._is_terminal_status(child.status):
            self._tell_parent(child)
