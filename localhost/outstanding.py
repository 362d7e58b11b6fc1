"""What an orchestration waits for, and the events and work items that come of it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from localhost.alarms import Alarm

MAX_ID_CHARACTERS = 256


@dataclass(slots=True)
class Outstanding:
    """What an instance waits for, by task id; an answer that does not match an entry comes from a former life."""

    activities: dict[int, str] = field(default_factory=dict[int, str])
    timers: dict[int, Alarm] = field(default_factory=dict[int, Alarm])
    children: dict[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True, slots=True)
class Parent:
    """Who waits for a sub-orchestration, and under which task id."""

    instance_id: str
    task_id: int


def unanswered(events: Iterable[pb.HistoryEvent]) -> list[pb.HistoryEvent]:
    open_: dict[int, pb.HistoryEvent] = {}
    for event in events:
        match event.WhichOneof("eventType"):
            case "taskScheduled" | "timerCreated" | "subOrchestrationInstanceCreated":
                open_[event.eventId] = event
            case "taskCompleted":
                open_.pop(event.taskCompleted.taskScheduledId, None)
            case "taskFailed":
                open_.pop(event.taskFailed.taskScheduledId, None)
            case "timerFired":
                open_.pop(event.timerFired.timerId, None)
            case "subOrchestrationInstanceCompleted":
                open_.pop(event.subOrchestrationInstanceCompleted.taskScheduledId, None)
            case "subOrchestrationInstanceFailed":
                open_.pop(event.subOrchestrationInstanceFailed.taskScheduledId, None)
            case _:
                continue
    return list(open_.values())


def child_ended(child: OrchestrationInstance, task_id: int) -> pb.HistoryEvent:
    if child.status == pb.ORCHESTRATION_STATUS_COMPLETED:
        return helpers.new_sub_orchestration_completed_event(task_id, child.output)
    ended = "was terminated" if child.status == pb.ORCHESTRATION_STATUS_TERMINATED else "failed"
    event = helpers.new_sub_orchestration_failed_event(
        task_id, RuntimeError(f"The sub-orchestration '{child.instance_id}' {ended}.")
    )
    if child.failure_details is not None:
        event.subOrchestrationInstanceFailed.failureDetails.CopyFrom(child.failure_details)
    return event


def id_problem(instance_id: str) -> str | None:
    """The Durable extension's rules for instance ids."""
    if not 1 <= len(instance_id) <= MAX_ID_CHARACTERS:
        return f"An instance ID has 1 to {MAX_ID_CHARACTERS} characters."
    if instance_id.startswith("@") or any(c in "/\\#?" or ord(c) < 32 for c in instance_id):
        return "An instance ID must not start with '@' nor contain '/', '\\', '#', '?' or control characters."
    return None


def activity_work(item: ActivityWorkItem) -> pb.WorkItem:
    request = pb.ActivityRequest(
        name=item.name,
        taskId=item.task_id,
        input=helpers.get_string_value(item.input or None),
        orchestrationInstance=pb.OrchestrationInstance(instanceId=item.instance_id),
    )
    return pb.WorkItem(completionToken=str(item.completion_token), activityRequest=request)
