"""What orchestrations wait for: activities, timers and children, each answered once and by the right one.

The stock backend gives up on a child after 30 s, sleeps in one thread a timer, and takes an answer meant for an
earlier generation of an instance (continue-as-new, purge) for one to the present.
"""

from datetime import UTC, datetime
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from localhost.clock import Clock
from localhost.entities import EntityBackend
from localhost.outstanding import Outstanding, Parent, activity_work, child_ended, unanswered


class WaitingBackend(EntityBackend):
    """Knows what each instance waits for; an answer that nobody waits for is dropped."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._outstanding: dict[str, Outstanding] = {}
        self._parents: dict[str, Parent] = {}
        self._running: set[str] = set()

    def _drop_outstanding(self, instance_id: str) -> None:
        for alarm in self._outstanding.pop(instance_id, Outstanding()).timers.values():
            alarm.cancelled = True

    def _awaits(self, instance_id: str) -> Outstanding:
        """To add to."""
        return self._outstanding.setdefault(instance_id, Outstanding())

    def _awaited(self, instance_id: str) -> Outstanding:
        """To look at."""
        return self._outstanding.get(instance_id, Outstanding())

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
            expected = self._awaited(request.instanceId).activities
            if expected.get(request.taskId) != request.completionToken:
                self._wake()  # an answer to a former life: nothing changes, but the host may be idle now
                return pb.CompleteTaskResponse()
            del expected[request.taskId]
            return super().CompleteActivityTask(request, context)

    def _take_activities(self) -> list[pb.WorkItem]:
        """All of them: one whose orchestration did not wait for it runs too, and its answer is dropped."""
        taken = list(self._activity_queue)
        self._activity_queue.clear()
        self._running.update(str(item.completion_token) for item in taken)
        return [activity_work(item) for item in taken]

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
        waiting = self._awaited(parent.instance_id).children if parent else {}
        if parent is None or waiting.get(parent.task_id) != child.instance_id:
            return
        del waiting[parent.task_id]
        self._instances[parent.instance_id].pending_events.append(child_ended(child, parent.task_id))
        self._enqueue_orchestration(parent.instance_id)

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
