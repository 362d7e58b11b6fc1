"""Which part of each orchestration and entity is on disk, and so what the next commit must write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal.helpers import get_string_value, new_timestamp
from durabletask.testing.in_memory_backend import EntityState, OrchestrationInstance

from localhost.journal import Change, Stored

INSTANCE, ENTITY = "instance", "entity"


@dataclass(slots=True)
class _Saved:
    """What the journal holds of one record; `inbox` maps an event's identity to its row and keeps the event alive."""

    of: object
    history_count: int = 0
    inbox: dict[int, tuple[int, pb.HistoryEvent]] = field(default_factory=dict[int, tuple[int, pb.HistoryEvent]])


class Ledger:
    """Turns live objects into changes; the caller holds the engine's lock and commits what it gets."""

    def __init__(self) -> None:
        self._saved: dict[str, _Saved] = {}
        self._next_position = 1

    def adopt(self, stored: Stored, live: object, inbox: Sequence[pb.HistoryEvent]) -> None:
        """Notes a record as it was read back: `inbox` are its live events, in the order of the stored ones."""
        rows = [position for position, _ in stored.inbox]
        known = {id(event): (row, event) for row, event in zip(rows, inbox, strict=True)}
        self._saved[stored.id] = _Saved(live, len(stored.history), known)
        self._next_position = max([self._next_position - 1, *rows]) + 1

    def history_replaced(self, id_: str) -> None:
        """The next change of `id_` writes its whole history (continue-as-new, rewind)."""
        if id_ in self._saved:
            self._saved[id_].history_count = 0

    def of_instance(self, instance: OrchestrationInstance, inbox: Sequence[pb.HistoryEvent], now: datetime) -> Change:
        saved = self._saved_for(instance.instance_id, instance)
        start, new = saved.history_count, instance.history[saved.history_count :]
        for event in new:
            _stamp(event, now)
        saved.history_count = len(instance.history)
        added, removed = self._inbox_change(saved, inbox)
        history = [event.SerializeToString() for event in new]
        return Change(INSTANCE, instance.instance_id, _instance_body(instance), start, history, added, removed)

    def of_entity(self, entity: EntityState) -> Change:
        saved = self._saved_for(entity.instance_id, entity)
        added, removed = self._inbox_change(saved, [*entity.dispatched_operations, *entity.pending_operations])
        return Change(
            ENTITY, entity.instance_id, _entity_body(entity), history_from=1, inbox_added=added, inbox_removed=removed
        )

    def of_removed(self, id_: str) -> Change:
        saved = self._saved.pop(id_, None)
        rows = [row for row, _ in saved.inbox.values()] if saved else []
        return Change(ENTITY if id_.startswith("@") else INSTANCE, id_, None, inbox_removed=rows)

    def _saved_for(self, id_: str, live: object) -> _Saved:
        saved = self._saved.setdefault(id_, _Saved(live))
        if saved.of is not live:  # the id was purged or replaced, and started again
            saved.of, saved.history_count = live, 0
        return saved

    def _inbox_change(
        self, saved: _Saved, inbox: Sequence[pb.HistoryEvent]
    ) -> tuple[list[tuple[int, bytes]], list[int]]:
        waiting = {id(event) for event in inbox}
        removed = [saved.inbox.pop(key)[0] for key in saved.inbox.keys() - waiting]
        added: list[tuple[int, bytes]] = []
        for event in inbox:
            if id(event) not in saved.inbox:
                saved.inbox[id(event)] = (self._next_position, event)
                added.append((self._next_position, event.SerializeToString()))
                self._next_position += 1
        return added, removed


def read_instance(stored: Stored, token: int) -> OrchestrationInstance:
    """The orchestration as it was committed; its input is the one that its last start event carries."""
    state = pb.OrchestrationState.FromString(stored.body)
    history, inbox = _events(stored.history), _events([event for _, event in stored.inbox])
    started = next(e.executionStarted for e in reversed([*history, *inbox]) if e.HasField("executionStarted"))
    return OrchestrationInstance(
        instance_id=state.instanceId,
        name=state.name,
        status=state.orchestrationStatus,
        version=started.version.value if started.HasField("version") else None,
        input=started.input.value if started.HasField("input") else None,
        output=state.output.value if state.HasField("output") else None,
        custom_status=state.customStatus.value if state.HasField("customStatus") else None,
        created_at=state.createdTimestamp.ToDatetime(UTC),
        last_updated_at=state.lastUpdatedTimestamp.ToDatetime(UTC),
        completed_at=state.completedTimestamp.ToDatetime(UTC) if state.HasField("completedTimestamp") else None,
        failure_details=state.failureDetails if state.HasField("failureDetails") else None,
        history=history,
        pending_events=inbox,
        completion_token=token,
        tags=dict(state.tags) or None,
    )


def read_entity(stored: Stored, token: int) -> EntityState:
    state = pb.EntityMetadata.FromString(stored.body)
    return EntityState(
        instance_id=state.instanceId,
        serialized_state=state.serializedState.value if state.HasField("serializedState") else None,
        last_modified_at=state.lastModifiedTime.ToDatetime(UTC),
        locked_by=state.lockedBy.value if state.HasField("lockedBy") else None,
        pending_operations=_events([event for _, event in stored.inbox]),
        completion_token=token,
    )


def _events(rows: Sequence[bytes]) -> list[pb.HistoryEvent]:
    return [pb.HistoryEvent.FromString(row) for row in rows]


def _stamp(event: pb.HistoryEvent, now: datetime) -> None:
    """Stock events carry no time; the status API would show 1970."""
    if not event.timestamp.seconds:
        event.timestamp.FromDatetime(now)


def _instance_body(instance: OrchestrationInstance) -> bytes:
    """All but the input: it stands in the start event, and would be written again with each commit."""
    state = pb.OrchestrationState(
        instanceId=instance.instance_id,
        name=instance.name,
        orchestrationStatus=instance.status,
        createdTimestamp=new_timestamp(instance.created_at),
        lastUpdatedTimestamp=new_timestamp(instance.last_updated_at),
        completedTimestamp=new_timestamp(instance.completed_at) if instance.completed_at else None,
        output=get_string_value(instance.output),
        customStatus=get_string_value(instance.custom_status),
        failureDetails=instance.failure_details,
        tags=instance.tags,
    )
    return state.SerializeToString()


def _entity_body(entity: EntityState) -> bytes:
    state = pb.EntityMetadata(
        instanceId=entity.instance_id,
        lastModifiedTime=new_timestamp(entity.last_modified_at),
        lockedBy=get_string_value(entity.locked_by),
        serializedState=get_string_value(entity.serialized_state),
    )
    return state.SerializeToString()
