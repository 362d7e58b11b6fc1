"""Plays one workflow by hand on the SDK's own executor: the test says what arrives, when, and together with what.

Every batch replays the whole history, as each real backend does: a workflow that is not deterministic fails here.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions.worker import DurableFunctionsWorker
from durabletask.internal import helpers

from shared.durable import wire
from shared.durable.calls import ActivityCall, WorkflowCall
from shared.durable.events import Event
from shared.durable.register import Orchestrator, as_orchestrator

INSTANCE = "played"
MAX_BATCHES = 2000
PATIENCE = timedelta(hours=1)
"""Longer than any retry policy's."""


class WorkflowFailed(Exception):
    """The workflow raised, or its history does not fit its code."""


def run_batch(
    orchestrator: Callable[..., Any],
    past: Iterable[pb.HistoryEvent],
    new: Iterable[pb.HistoryEvent],
    instance: str = INSTANCE,
) -> pb.OrchestratorResponse:
    """One decision of the SDK's executor. Raises `WorkflowFailed`."""
    request = pb.OrchestratorRequest(instanceId=instance, pastEvents=past, newEvents=new)
    encoded = base64.b64encode(request.SerializeToString()).decode()
    answer = DurableFunctionsWorker().execute_orchestration_request(orchestrator, encoded)
    response = pb.OrchestratorResponse.FromString(base64.b64decode(answer))
    for action in response.actions:
        if action.completeOrchestration.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED:
            details = action.completeOrchestration.failureDetails
            raise WorkflowFailed(f"{details.errorType}: {details.errorMessage}")
    return response


@dataclass(frozen=True, slots=True)
class Answer[I, O]:
    """What an activity does in this play; it may raise."""

    call: ActivityCall[I, O]
    function: Callable[[I], O]

    def __call__(self, encoded: str) -> str:
        request = wire.decode(json.loads(encoded), self.call.request)
        return json.dumps(wire.encode(self.function(request), self.call.reply))


@dataclass(frozen=True, slots=True)
class Part[I, O]:
    """A workflow that others run as a part of their own."""

    call: WorkflowCall[I, O]
    workflow: Orchestrator[I, O]


@dataclass(slots=True)
class Play[I, O]:
    """A workflow under way, at `now`."""

    call: WorkflowCall[I, O]
    workflow: Orchestrator[I, O]
    answers: Mapping[str, Answer[Any, Any]]
    now: datetime
    parts: Mapping[str, Part[Any, Any]] = field(default_factory=dict[str, Part[Any, Any]])
    runs: int = 0
    """How often it started over, the first start included."""
    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    """Every activity that was called, with its JSON request; those of the parts as well."""
    started: list[str] = field(default_factory=list[str])
    """The instance id of every part."""
    history: list[pb.HistoryEvent] = field(default_factory=list[pb.HistoryEvent])
    pending: list[pb.HistoryEvent] = field(default_factory=list[pb.HistoryEvent])
    alarms: dict[int, datetime] = field(default_factory=dict[int, datetime])
    status: Any = None
    reply: O | None = None
    ended: bool = False

    def start(self, request: I) -> None:
        self._begin(json.dumps(wire.encode(request, self.call.request)), ())

    def put[T](self, event: Event[T], payload: T) -> None:
        """An event arrives; it is seen by the next batch, together with what else waits."""
        self.pending.append(helpers.new_event_raised_event(event.name, json.dumps(event.encode(payload))))

    def tell[T](self, event: Event[T], payload: T) -> None:
        self.put(event, payload)
        self.settle()

    def ring(self) -> datetime:
        """Moves to the next alarm and lets it ring, unseen until the next batch."""
        timer, at = min(self.alarms.items(), key=lambda alarm: alarm[1])
        del self.alarms[timer]
        self.now = max(self.now, at)
        self.pending.append(helpers.new_timer_fired_event(timer, at.replace(tzinfo=None)))
        return self.now

    def live(self, span: timedelta) -> None:
        """Lives through `span`; every alarm in it rings in its time."""
        until = self.now + span
        self.settle()
        while not self.ended and self.alarms and min(self.alarms.values()) <= until:
            self.ring()
            self.settle()
        self.now = max(self.now, until)

    def settle(self) -> None:
        """Runs batches until nothing waits."""
        for _ in range(MAX_BATCHES):
            if not self.pending or self.ended:
                return
            self.batch()
        raise WorkflowFailed(f"{MAX_BATCHES} batches, and still not at rest")

    def batch(self) -> None:
        """One decision on all that waits."""
        new = [helpers.new_orchestrator_started_event(self.now.astimezone(UTC).replace(tzinfo=None)), *self.pending]
        self.pending = []
        response = run_batch(as_orchestrator(self.workflow, self.call), self.history, new)
        self.history += new
        if response.HasField("customStatus"):
            self.status = json.loads(response.customStatus.value)
        for action in response.actions:
            self._act(action)

    def _begin(self, encoded: str, carried: Iterable[pb.HistoryEvent]) -> None:
        self.runs += 1
        self.history, self.alarms = [], {}
        self.pending = [helpers.new_execution_started_event(self.call.name, INSTANCE, encoded), *carried, *self.pending]

    def _act(self, action: pb.OrchestratorAction) -> None:
        match action.WhichOneof("orchestratorActionType"):
            case "scheduleTask":
                self._call(action.id, action.scheduleTask.name, action.scheduleTask.input.value)
            case "createTimer":
                at = action.createTimer.fireAt.ToDatetime()
                self.history.append(helpers.new_timer_created_event(action.id, at))
                self.alarms[action.id] = at.replace(tzinfo=UTC)
            case "createSubOrchestration":
                self._play_part(action.id, action.createSubOrchestration)
            case "completeOrchestration":
                self._complete(action.completeOrchestration)
            case other:
                raise WorkflowFailed(f"the driver knows no {other}")

    def _call(self, number: int, name: str, encoded: str) -> None:
        self.history.append(helpers.new_task_scheduled_event(number, name, encoded))
        self.calls.append((name, json.loads(encoded)))
        try:
            self.pending.append(helpers.new_task_completed_event(number, self.answers[name](encoded)))
        except Exception as error:
            self.pending.append(helpers.new_task_failed_event(number, error))

    def _play_part(self, number: int, order: pb.CreateSubOrchestrationAction) -> None:
        """Lived through to its end before anything else happens here; the patience of its activities included."""
        created = helpers.new_sub_orchestration_created_event(number, order.name, order.instanceId, order.input.value)
        self.history.append(created)
        self.started.append(order.instanceId)
        part = self.parts[order.name]
        play = Play(part.call, part.workflow, self.answers, self.now, self.parts, calls=self.calls)
        play.start(wire.decode(json.loads(order.input.value), part.call.request))
        play.live(PATIENCE)
        if not play.ended:
            raise WorkflowFailed(f"{order.instanceId} does not come to its end")
        reply = json.dumps(wire.encode(play.reply, part.call.reply))
        self.pending.append(helpers.new_sub_orchestration_completed_event(number, reply))

    def _complete(self, done: pb.CompleteOrchestrationAction) -> None:
        if done.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self._begin(done.result.value, done.carryoverEvents)
            return
        self.ended = True
        self.reply = wire.decode(json.loads(done.result.value), self.call.reply)


def answering(*answers: Answer[Any, Any]) -> dict[str, Answer[Any, Any]]:
    return {answer.call.name: answer for answer in answers}
