"""Orchestrations that step on every trap of the local host."""

import json
import os
import time
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask import task
from durabletask.entities import DurableEntity, EntityInstanceId

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
Steps = Generator[Any, Any, Any]
TALLY = Path(os.environ.get("TALLY_DIR", "."))


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    at = req.params.get("at")
    value = json.loads(req.get_body()) if req.get_body() else None
    instance_id = await client.schedule_new_orchestration(
        req.route_params["name"],
        input=value,
        instance_id=req.params.get("id"),
        start_at=datetime.fromisoformat(at) if at else None,
    )
    return func.HttpResponse(instance_id, status_code=202)


@app.route(route="run/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def run(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    value = json.loads(req.get_body()) if req.get_body() else None
    instance_id = await client.schedule_new_orchestration(req.route_params["name"], input=value)
    state = await client.wait_for_orchestration_completion(instance_id, timeout=60)
    return func.HttpResponse(state.serialized_output if state else None, status_code=200)


@app.route(route="terminate/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def terminate(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    await client.terminate_orchestration(req.route_params["id"], recursive=req.params["recursive"] == "true")
    return func.HttpResponse(status_code=202)


@app.route(route="signal/{key}/{operation}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def signal(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    at = req.params.get("at")
    entity = EntityInstanceId("Counter", req.route_params["key"])
    when = datetime.fromisoformat(at) if at else None
    await client.signal_entity(entity, req.route_params["operation"], input=1, signal_time=when)
    return func.HttpResponse(status_code=202)


@app.route(route="clean", methods=["POST"])
@app.durable_client_input(client_name="client")
async def clean(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    await client.clean_entity_storage(remove_empty_entities=True, release_orphaned_locks=True)
    return func.HttpResponse(status_code=202)


@app.orchestration_trigger(context_name="context")
def three(ctx: task.OrchestrationContext, n: int) -> Steps:
    for _ in range(3):
        n = yield ctx.call_activity("inc", input=n)
    return n


@app.orchestration_trigger(context_name="context")
def fan(ctx: task.OrchestrationContext, n: int) -> Steps:
    calls: list[task.Task[Any]] = [ctx.call_activity("inc", input=i) for i in range(n)]
    parts = yield task.when_all(calls)
    return sum(parts)


@app.orchestration_trigger(context_name="context")
def sleep_days(ctx: task.OrchestrationContext, days: float) -> Steps:
    began = ctx.current_utc_datetime
    yield ctx.create_timer(timedelta(days=days))
    return (ctx.current_utc_datetime - began).total_seconds()


@app.orchestration_trigger(context_name="context")
def many_timers(ctx: task.OrchestrationContext, n: int) -> Steps:
    yield task.when_all([ctx.create_timer(timedelta(hours=1, seconds=i % 10)) for i in range(n)])
    return n


@app.orchestration_trigger(context_name="context")
def slow_parent(ctx: task.OrchestrationContext, seconds: float) -> Steps:
    return (yield ctx.call_sub_orchestrator("slow_child", input=seconds, instance_id=f"{ctx.instance_id}-child"))


@app.orchestration_trigger(context_name="context")
def slow_child(ctx: task.OrchestrationContext, seconds: float) -> Steps:
    yield ctx.create_timer(timedelta(seconds=seconds))
    return f"child of {ctx.parent_instance_id}"


@app.orchestration_trigger(context_name="context")
def when_started(ctx: task.OrchestrationContext, _: object) -> str:
    return ctx.current_utc_datetime.isoformat()


@app.orchestration_trigger(context_name="context")
def tree(ctx: task.OrchestrationContext, depth: int) -> Steps:
    if depth == 0:
        yield ctx.wait_for_external_event("never")
    names = [f"{ctx.instance_id}.{i}" for i in range(2)]
    children: list[task.Task[Any]] = [
        ctx.call_sub_orchestrator("tree", input=depth - 1, instance_id=name) for name in names
    ]
    yield task.when_all(children)


@app.orchestration_trigger(context_name="context")
def carry(ctx: task.OrchestrationContext, megabytes: int) -> Steps:
    text = yield ctx.call_activity("grow", input=megabytes)
    size = yield ctx.call_activity("measure", input=text)
    return {"size": size, "text": text}


@app.orchestration_trigger(context_name="context")
def echo(ctx: task.OrchestrationContext, value: object) -> object:
    return value


@app.orchestration_trigger(context_name="context")
def calls_missing(ctx: task.OrchestrationContext, _: object) -> Steps:
    yield ctx.call_activity("no_such_activity")


@app.orchestration_trigger(context_name="context")
def calls_silent(ctx: task.OrchestrationContext, _: object) -> Steps:
    yield ctx.call_activity("fails_silently")


@app.orchestration_trigger(context_name="context")
def calls_clumsy(ctx: task.OrchestrationContext, _: object) -> Steps:
    """Its activity cannot be decoded by the worker library: the input is no JSON that it can bind."""
    return (yield ctx.call_activity("returns_what_is_no_json"))


@app.orchestration_trigger(context_name="context")
def loops(ctx: task.OrchestrationContext, n: int) -> Steps:
    yield ctx.call_activity("inc", input=n)
    if n:
        ctx.continue_as_new(n - 1)
        return None
    return "done"


@app.orchestration_trigger(context_name="context")
def leaves_work_behind(ctx: task.OrchestrationContext, generation: int) -> Steps:
    """The first generation leaves an activity and a timer unanswered, with the ids that the second one uses too."""
    late: task.Task[Any] = ctx.call_activity("late" if generation == 0 else "inc", input=generation)
    if generation == 0:
        ctx.create_timer(timedelta(minutes=5))
        yield ctx.wait_for_external_event("next")
        ctx.continue_as_new(1)
        return None
    answer = yield late
    yield ctx.create_timer(timedelta(hours=1))
    return {"answer": answer}


@app.orchestration_trigger(context_name="context")
def listens(ctx: task.OrchestrationContext, n: int) -> Steps:
    heard: list[str] = []
    for _ in range(n):
        ctx.set_custom_status({"heard": list(heard)})
        heard.append((yield ctx.wait_for_external_event("word")))
    return heard


@app.orchestration_trigger(context_name="context")
def hangs(ctx: task.OrchestrationContext, seconds: int) -> Steps:
    return (yield ctx.call_activity("hang", input=seconds))


@app.orchestration_trigger(context_name="context")
def retries(ctx: task.OrchestrationContext, key: str) -> Steps:
    policy = task.RetryPolicy(
        first_retry_interval=timedelta(minutes=10), max_number_of_attempts=4, backoff_coefficient=2
    )
    return (yield ctx.call_activity("third_time_lucky", input=key, retry_policy=policy))


@app.orchestration_trigger(context_name="context")
def fails_until_told(ctx: task.OrchestrationContext, key: str) -> Steps:
    before = yield ctx.call_activity("inc", input=1)
    after = yield ctx.call_activity("fails_while_cursed", input=key)
    return [before, after]


@app.orchestration_trigger(context_name="context")
def critical(ctx: task.OrchestrationContext, request: dict[str, str]) -> Steps:
    """Reads, waits an hour and writes back: only a lock makes that add up."""
    entity = EntityInstanceId("Counter", request["key"])
    with (yield ctx.lock_entities([entity])):
        value = yield ctx.call_entity(entity, "get")
        yield ctx.create_timer(timedelta(hours=1))
        yield ctx.call_entity(entity, "set", value + 1)
    return value


@app.orchestration_trigger(context_name="context")
def locks_and_dies(ctx: task.OrchestrationContext, key: str) -> Steps:
    entity = EntityInstanceId("Counter", key)
    yield ctx.lock_entities([entity])
    yield ctx.wait_for_external_event("never")


@app.orchestration_trigger(context_name="context")
def soak(ctx: task.OrchestrationContext, name: str) -> Steps:
    marks: list[task.Task[Any]] = [ctx.call_activity("mark", input=f"{name}.{i}") for i in range(3)]
    yield task.when_all(marks)
    yield ctx.create_timer(timedelta(milliseconds=20))
    yield ctx.call_sub_orchestrator("soak_child", input=name, instance_id=f"{name}-child")
    yield ctx.call_entity(EntityInstanceId("Counter", "soak"), "add", 1)
    return name


@app.orchestration_trigger(context_name="context")
def soak_child(ctx: task.OrchestrationContext, name: str) -> Steps:
    yield ctx.call_activity("mark", input=f"{name}.child")
    return name


@app.activity_trigger(input_name="n")
def inc(n: int) -> int:
    return n + 1


@app.activity_trigger(input_name="megabytes")
def grow(megabytes: int) -> str:
    return "x" * (megabytes * 1024 * 1024)


@app.activity_trigger(input_name="text")
def measure(text: str) -> int:
    return len(text)


@app.activity_trigger(input_name="nothing")
def fails_silently(nothing: str) -> None:
    raise ValueError


@app.activity_trigger(input_name="nothing")
def returns_what_is_no_json(nothing: str) -> object:
    return object()


@app.activity_trigger(input_name="generation")
def late(generation: int) -> str:
    time.sleep(0.5)
    return "from a former life"


@app.activity_trigger(input_name="seconds")
def hang(seconds: int) -> str:
    if os.environ.get("HANG") == "no":
        return "did not hang"
    time.sleep(seconds)
    return "hung"


@app.activity_trigger(input_name="key")
def third_time_lucky(key: str) -> str:
    attempt = _count(key)
    if attempt < 3:
        raise RuntimeError(f"attempt {attempt}")
    return f"attempt {attempt}"


@app.activity_trigger(input_name="key")
def fails_while_cursed(key: str) -> str:
    if (TALLY / f"{key}.cursed").exists():
        raise RuntimeError("cursed")
    return "well"


@app.activity_trigger(input_name="name")
def mark(name: str) -> int:
    return _count(name)


@app.entity_trigger(context_name="context")
class Counter(DurableEntity):
    def get(self) -> int:
        return self.get_state(int, 0)

    def set(self, value: int) -> None:
        self.set_state(value)

    def add(self, n: int = 1) -> int:
        self.set_state(self.get_state(int, 0) + n)
        return self.get_state(int, 0)

    def boom(self, n: int = 0) -> None:
        raise RuntimeError("boom")


def _count(name: str) -> int:
    with (TALLY / name).open("a") as tally:
        tally.write("x")
        return tally.tell()
