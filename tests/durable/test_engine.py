"""Starts that may be repeated, and letters to houses that are gone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from durabletask.client import OrchestrationStatus
from grpc import RpcError

from shared.durable.calls import Context, Workflow, WorkflowCall
from shared.durable.clock import now
from shared.durable.engine import Engine
from shared.durable.events import Event, TimedOut, first_of
from shared.durable.status import report
from tests.durable.backend import client_of, free_port, running_engine, working


@dataclass(frozen=True, slots=True)
class Greeting:
    name: str


greet = WorkflowCall("greet", Greeting, str)
NAMED = Event("named", Greeting)


def waits_for_a_name(ctx: Context, first: Greeting) -> Workflow[str]:
    report(ctx, first, Greeting)
    match (yield from first_of(ctx, (NAMED,), now(ctx) + timedelta(minutes=5))):
        case Greeting(name):
            return f"{first.name}, {name}"
        case TimedOut():
            return first.name


@pytest.fixture(scope="module")
def idle() -> Iterator[Engine]:
    """What is started here waits for ever: nothing works."""
    with running_engine() as (engine, _):
        yield engine


@pytest.fixture(scope="module")
def busy() -> Iterator[Engine]:
    with running_engine() as (engine, address), working(address, greet, waits_for_a_name):
        yield engine


@pytest.fixture
def instance() -> str:
    return f"greet-{uuid4().hex}"


def output(engine: Engine, instance: str) -> str | None:
    state = engine.client.wait_for_orchestration_completion(instance, timeout=20)
    assert state is not None
    assert state.runtime_status is OrchestrationStatus.COMPLETED
    return state.serialized_output


def test_starting_twice_is_starting_once(idle: Engine, instance: str) -> None:
    idle.start(greet, Greeting("first"), instance_id=instance)
    idle.start(greet, Greeting("second"), instance_id=instance)
    state = idle.client.get_orchestration_state(instance)
    assert state is not None
    assert state.serialized_input == '{"name": "first"}'


def test_of_starts_that_race_one_wins_and_none_fails(idle: Engine, instance: str) -> None:
    def start(name: str) -> None:
        idle.start(greet, Greeting(name), instance_id=instance)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, "abcdefgh"))
    assert idle.is_under_way(instance)


def sees_nothing(_engine: Engine, _instance: str) -> bool:
    return False


def test_a_start_that_loses_after_it_looked_is_no_fault(
    idle: Engine, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle.start(greet, Greeting("first"), instance_id=instance)
    monkeypatch.setattr(Engine, "is_under_way", sees_nothing)
    idle.start(greet, Greeting("second"), instance_id=instance)


def test_an_engine_that_is_away_is_an_error_and_never_silence(instance: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "is_under_way", sees_nothing)
    away = Engine(client_of(f"127.0.0.1:{free_port()}"))
    with pytest.raises(RpcError):
        away.start(greet, Greeting("a"), instance_id=instance)
    with pytest.raises(RpcError):
        away.tell(NAMED, Greeting("a"), instance_id=instance)
    away.client.close()


def test_what_was_never_started_is_not_under_way_and_has_no_status(idle: Engine, instance: str) -> None:
    assert not idle.is_under_way(instance)
    assert idle.status(Greeting, instance_id=instance) is None


def test_a_letter_to_a_house_that_never_was_is_dropped(idle: Engine, instance: str) -> None:
    idle.tell(NAMED, Greeting("anybody"), instance_id=instance)
    assert not idle.is_under_way(instance)


def test_a_workflow_is_started_told_and_ends(busy: Engine, instance: str) -> None:
    busy.start(greet, Greeting("hello"), instance_id=instance)
    busy.tell(NAMED, Greeting("anna"), instance_id=instance)
    assert output(busy, instance) == '"hello, anna"'
    assert busy.status(Greeting, instance_id=instance) == Greeting("hello")


def test_a_letter_to_a_house_that_is_gone_is_dropped(busy: Engine, instance: str) -> None:
    busy.start(greet, Greeting("hello"), instance_id=instance)
    busy.tell(NAMED, Greeting("anna"), instance_id=instance)
    before = output(busy, instance)
    busy.tell(NAMED, Greeting("berta"), instance_id=instance)
    assert output(busy, instance) == before
    assert not busy.is_under_way(instance)


def test_what_ended_can_be_started_again(busy: Engine, instance: str) -> None:
    for name in ("anna", "berta"):
        busy.start(greet, Greeting("hello"), instance_id=instance)
        busy.tell(NAMED, Greeting(name), instance_id=instance)
        assert output(busy, instance) == f'"hello, {name}"'
