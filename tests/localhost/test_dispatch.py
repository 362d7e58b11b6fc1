"""Whatever a function does to the dispatcher, the instance gets an answer."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest

from localhost import clock as host_clock
from localhost.backend import Backend
from localhost.calls import LOCAL_CALL
from localhost.clock import Clock
from localhost.dispatch import Dispatcher
from localhost.engine import Engine
from localhost.invoke import Invoker
from localhost.journal import Journal
from localhost.worker import Function, text

FUNCTIONS = [
    Function("1", "flow", {"type": "orchestrationTrigger", "name": "ctx"}, []),
    Function("2", "Thing", {"type": "entityTrigger", "name": "ctx"}, []),
    Function("3", "act", {"type": "activityTrigger", "name": "n"}, []),
]


class Stub:
    """An invoker that raises, or returns, what the test wants."""

    def __init__(self, outcome: object) -> None:
        self._outcome = outcome

    async def invoke(self, _function: Function, _data: object) -> object:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


OUTCOMES = [
    RuntimeError("inside the host"),
    RuntimeError(""),
    text("not base64!"),
    None,
    text(base64.b64encode(b"\xff\xff").decode()),
]


@pytest.fixture
def journal() -> Journal:
    return Journal(None)


def run(journal: Journal, outcome: object, act: Callable[[Backend], object]) -> Backend:
    """Sends what the engine hands out through a dispatcher whose functions all end in `outcome`."""
    clock = Clock(virtual=True)
    host_clock.install(clock)
    backend = Backend(clock)
    dispatcher = Dispatcher(backend, cast(Invoker, Stub(outcome)), FUNCTIONS, max_activities=4)

    def hand_over(items: Any) -> None:
        for item in items:
            asyncio.run(dispatcher.run(item))

    engine = Engine(backend, journal, hand_over)
    engine.start()
    act(backend)
    engine.settle(timeout_seconds=5)
    engine.stop(grace_seconds=1)
    return backend


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_orchestration_whose_dispatch_fails_is_failed_not_hanging(journal: Journal, outcome: object) -> None:
    start = pb.CreateInstanceRequest(instanceId="i", name="flow")
    backend = run(journal, outcome, lambda backend: backend.StartInstance(start, LOCAL_CALL))
    state = backend.GetInstance(pb.GetInstanceRequest(instanceId="i"), LOCAL_CALL).orchestrationState
    assert state.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED
    assert state.failureDetails.errorMessage


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_entity_whose_dispatch_fails_serves_the_next_call(journal: Journal, outcome: object) -> None:
    signal = pb.SignalEntityRequest(instanceId="@thing@k", name="op", requestId="r")
    backend = run(journal, outcome, lambda backend: backend.SignalEntity(signal, LOCAL_CALL))
    entity = backend.GetEntity(pb.GetEntityRequest(instanceId="@thing@k"), LOCAL_CALL).entity
    assert entity.backlogQueueSize == 0


@pytest.mark.parametrize("outcome", OUTCOMES[:2])
def test_an_activity_whose_dispatch_fails_has_failed_with_a_reason(outcome: object) -> None:
    answers: list[pb.ActivityResponse] = []

    class Ear:
        def CompleteActivityTask(self, response: pb.ActivityResponse, _context: object) -> None:  # noqa: N802
            answers.append(response)

    dispatcher = Dispatcher(cast(Backend, Ear()), cast(Invoker, Stub(outcome)), FUNCTIONS, max_activities=1)
    asyncio.run(dispatcher.run(pb.WorkItem(activityRequest=pb.ActivityRequest(name="act"), completionToken="t")))
    assert answers[0].failureDetails.errorMessage
    assert answers[0].completionToken == "t"


def test_an_engine_that_fails_acknowledges_nothing(tmp_path: Path) -> None:
    clock = Clock(virtual=True)
    backend = Backend(clock)

    def fail(_items: object) -> None:
        raise RuntimeError("a fault in the host itself")

    engine = Engine(backend, Journal(tmp_path / "j.sqlite"), fail)
    engine.start()
    backend.StartInstance(pb.CreateInstanceRequest(instanceId="i", name="flow"), LOCAL_CALL)
    backend.wait_committed(5)
    while not backend.broken:
        pass
    backend.StartInstance(pb.CreateInstanceRequest(instanceId="j", name="flow"), LOCAL_CALL)
    with pytest.raises(Exception, match="could not be written"):
        backend.wait_committed(5)
    engine.stop(grace_seconds=0)
