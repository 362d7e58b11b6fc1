"""Typed events from outside, and waiting for the first of them until a deadline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from durabletask.task import CancellableTask, when_any

from shared.durable import wire
from shared.durable.calls import Context, Workflow


class Awaited[T]:
    """What a workflow waits for: a name and what comes with it."""

    # No dataclass: its generated methods would make T invariant, and `first_of` could not tell a union.
    __slots__ = ("_payload", "name")

    def __init__(self, name: str, payload: type[T]) -> None:
        self.name = name
        self._payload = payload

    @property
    def payload(self) -> type[T]:
        return self._payload


class Event[T](Awaited[T]):
    """The same for those who send it: taking a T, it is invariant, so a wrong payload is a type error."""

    __slots__ = ()

    def encode(self, payload: T) -> Any:
        return wire.encode(payload, self.payload)


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing came until the deadline."""


def first_of[T](ctx: Context, events: Sequence[Awaited[T]], until: datetime) -> Workflow[T | TimedOut]:
    """The payload of the event that comes first. Losers are cancelled, so a later event waits for the next call.

    An event that waits already wins over those after it in `events`, and takes none of theirs with it.
    """
    waits: list[CancellableTask[Any]] = []
    for event in events:
        wait = ctx.wait_for_external_event(event.name)
        waits.append(wait)
        if wait.is_complete:
            break
    else:
        deadline = ctx.create_timer(until.astimezone(UTC).replace(tzinfo=None))
        yield when_any([*waits, deadline])
        deadline.cancel()
    won = next((n for n, wait in enumerate(waits) if wait.is_complete), None)
    for wait in waits:
        wait.cancel()
    return TimedOut() if won is None else wire.decode(waits[won].get_result(), events[won].payload)
