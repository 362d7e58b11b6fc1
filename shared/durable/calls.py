"""Typed calls out of a workflow: `reply = yield from delete_snapshot(ctx, request)`."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, RetryPolicy, Task, when_all
from durabletask.task import TaskFailedError as StepFailed

from shared.durable import wire

__all__ = ["PATIENT", "ActivityCall", "Context", "StepFailed", "Workflow", "WorkflowCall", "each"]

type Context = OrchestrationContext
type Workflow[R] = Generator[Task[Any], Any, R]

PATIENT = RetryPolicy(
    first_retry_interval=timedelta(seconds=5),
    max_number_of_attempts=8,
    backoff_coefficient=2.0,
    max_retry_interval=timedelta(minutes=5),
)
"""For I/O that heals by itself: eight tries within about ten minutes."""


@dataclass(frozen=True, slots=True)
class ActivityCall[I, O]:
    """A name, a request type and a reply type: all that a workflow may know of an activity."""

    name: str
    request: type[I]
    reply: type[O]
    retry: RetryPolicy | None = PATIENT

    def __call__(self, ctx: Context, request: I) -> Workflow[O]:
        payload = yield self.task(ctx, request)
        return wire.decode(payload, self.reply)

    def task(self, ctx: Context, request: I) -> Task[Any]:
        return ctx.call_activity(self.name, input=wire.encode(request, self.request), retry_policy=self.retry)


@dataclass(frozen=True, slots=True)
class WorkflowCall[I, O]:
    """The same for a workflow: how others start it, or run it as a part of their own."""

    name: str
    request: type[I]
    reply: type[O]

    def __call__(self, ctx: Context, request: I, *, instance_id: str) -> Workflow[O]:
        payload = yield ctx.call_sub_orchestrator(
            self.name, input=wire.encode(request, self.request), instance_id=instance_id
        )
        return wire.decode(payload, self.reply)

    def each(self, ctx: Context, requests: Mapping[str, I]) -> Workflow[list[O]]:
        """Run one for each instance id, all at once, and wait for every reply."""
        if not requests:
            return []
        tasks: list[Task[Any]] = [
            ctx.call_sub_orchestrator(self.name, input=wire.encode(request, self.request), instance_id=instance_id)
            for instance_id, request in requests.items()
        ]
        payloads: list[Any] = yield when_all(tasks)
        return [wire.decode(payload, self.reply) for payload in payloads]

    def again(self, ctx: Context, request: I) -> None:
        """Start over with `request` and an empty history; events that wait are kept."""
        ctx.continue_as_new(wire.encode(request, self.request), save_events=True)


def each[I, O](call: ActivityCall[I, O], ctx: Context, requests: Sequence[I]) -> Workflow[list[O]]:
    """Call the activity once a request, all at once, and wait for every reply."""
    if not requests:
        return []
    payloads: list[Any] = yield when_all([call.task(ctx, request) for request in requests])
    return [wire.decode(payload, call.reply) for payload in payloads]
