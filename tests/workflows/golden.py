"""Recorded histories of finished workflows, and their replay against today's code."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from google.protobuf.json_format import MessageToDict, ParseDict

from tests.workflows.driver import WorkflowFailed, run_batch

FOLDER = Path(__file__).parent / "histories"
CONSEQUENCES = {
    "scheduleTask": "taskScheduled",
    "createTimer": "timerCreated",
    "createSubOrchestration": "subOrchestrationInstanceCreated",
    "completeOrchestration": "executionCompleted",
}
type Decision = tuple[str, int, str]
"""What a batch led to: kind, number, and the activity's name, the part's identity or the workflow's result."""


def write(name: str, events: Sequence[pb.HistoryEvent]) -> None:
    text = json.dumps([_plain(event) for event in events], indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def read(path: Path) -> list[pb.HistoryEvent]:
    return [ParseDict(event, pb.HistoryEvent()) for event in json.loads(path.read_text())]


def replay(orchestrator: Callable[..., Any], history: Sequence[pb.HistoryEvent]) -> None:
    """Decides each batch anew on all that came before. Raises `WorkflowFailed` where today's code decides otherwise."""
    for start, end in _batches(history):
        new = [event for event in history[start:end] if _kind(event) not in CONSEQUENCES.values()]
        response = run_batch(orchestrator, history[:start], new, _instance(history))
        decided = [_decided(action) for action in response.actions]
        recorded = [_recorded(event) for event in history[start:end] if _kind(event) in CONSEQUENCES.values()]
        if decided != recorded:
            raise WorkflowFailed(f"event {start}: recorded {recorded}, and now {decided}")


def _instance(history: Sequence[pb.HistoryEvent]) -> str:
    """What the SDK says of a failure names it, and so may a result."""
    started = next(event.executionStarted for event in history if event.HasField("executionStarted"))
    return started.orchestrationInstance.instanceId


def _plain(event: pb.HistoryEvent) -> dict[str, Any]:
    """Without stack traces: they name the folders of the machine, and decide nothing."""
    told = MessageToDict(event)
    told.get("taskFailed", {}).get("failureDetails", {}).pop("stackTrace", None)
    return told


def _batches(history: Sequence[pb.HistoryEvent]) -> Iterator[tuple[int, int]]:
    starts = [at for at, event in enumerate(history) if event.HasField("orchestratorStarted")]
    yield from zip(starts, [*starts[1:], len(history)], strict=True)


def _kind(event: pb.HistoryEvent) -> str:
    return str(event.WhichOneof("eventType"))


def _recorded(event: pb.HistoryEvent) -> Decision:
    if event.HasField("executionCompleted"):
        return "executionCompleted", 0, event.executionCompleted.result.value
    if event.HasField("subOrchestrationInstanceCreated"):
        return _kind(event), event.eventId, event.subOrchestrationInstanceCreated.instanceId
    return _kind(event), event.eventId, event.taskScheduled.name


def _decided(action: pb.OrchestratorAction) -> Decision:
    kind = CONSEQUENCES[str(action.WhichOneof("orchestratorActionType"))]
    if kind == "executionCompleted":
        return kind, 0, action.completeOrchestration.result.value
    return kind, action.id, action.scheduleTask.name or action.createSubOrchestration.instanceId
