"""Entities: locks that hold others off and survive a crash, delayed signals, batches handed out in order."""

import uuid
from datetime import datetime
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal.helpers import get_string_value, new_timestamp
from durabletask.testing.in_memory_backend import EntityState, OrchestrationInstance, PendingLockRequest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import ServicerContext

from localhost.clock import Clock
from localhost.core import CoreBackend

LOCK, SIGNAL = "lock", "signal"


class EntityBackend(CoreBackend):
    """A locked entity serves its lock's owner only; what others send waits until the lock is released."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._locks: dict[str, pb.EntityLockRequestedEvent] = {}

    # --- batches

    def _take_entities(self) -> list[pb.WorkItem]:
        """Work for every entity that has operations it may serve now and is not serving others."""
        waiting = [id_ for id_ in self._entity_queue if id_ in self._entity_queue_set]
        self._entity_queue.clear()
        self._entity_queue_set.clear()
        taken = [self._take_entity(self._entities[id_]) for id_ in waiting if id_ in self._entities]
        return [item for item in taken if item is not None]

    def _take_entity(self, entity: EntityState) -> pb.WorkItem | None:
        if entity.instance_id in self._entity_in_flight:
            return None  # its completion queues it again
        operations = [event for event in entity.pending_operations if self._may_serve(entity, event)]
        if not operations:
            return None
        chosen = {id(event) for event in operations}
        entity.pending_operations = [event for event in entity.pending_operations if id(event) not in chosen]
        entity.dispatched_operations = operations
        self._entity_in_flight.add(entity.instance_id)
        request = pb.EntityRequest(
            instanceId=entity.instance_id,
            entityState=get_string_value(entity.serialized_state),
            operationRequests=operations,
        )
        return pb.WorkItem(completionToken=str(entity.completion_token), entityRequestV2=request)

    def _may_serve(self, entity: EntityState, event: pb.HistoryEvent) -> bool:
        if entity.locked_by is None:
            return True
        owner = self._locks[entity.locked_by].parentInstanceId.value
        return event.HasField("entityOperationCalled") and event.entityOperationCalled.parentInstanceId.value == owner

    @override
    def CompleteEntityTask(self, request: pb.EntityBatchResult, context: ServicerContext) -> pb.CompleteTaskResponse:
        with self._lock:
            serving = [self._entities[id_] for id_ in self._entity_in_flight if id_ in self._entities]
            entity = next((e for e in serving if str(e.completion_token) == request.completionToken), None)
            reply = super().CompleteEntityTask(request, context)
            if entity is not None:
                self._touch(entity.instance_id)
                self._try_grant_pending_locks()
            return reply

    # --- signals

    @override
    def _schedule_delayed_entity_operation(self, entity_id: str, event: pb.HistoryEvent, fire_at: datetime) -> None:
        signal = event.entityOperationSignaled
        signal.targetInstanceId.CopyFrom(StringValue(value=entity_id))
        signal.scheduledTime.CopyFrom(new_timestamp(fire_at))
        key = uuid.uuid4().hex
        self.note(SIGNAL, key, event.SerializeToString())
        self._arm_signal(key, event, fire_at)

    def _arm_signal(self, key: str, event: pb.HistoryEvent, fire_at: datetime) -> None:
        def deliver() -> None:
            self.note(SIGNAL, key, None)
            self._queue_entity_operation(event.entityOperationSignaled.targetInstanceId.value, event)

        self.alarms.set(fire_at, deliver)
        self._wake()

    # --- locks

    @override
    def _process_send_entity_message_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        message = action.sendEntityMessage
        if message.HasField("entityLockRequested"):
            request = pb.EntityLockRequestedEvent()
            request.CopyFrom(message.entityLockRequested)
            request.position = self._token()  # the order of the requests, kept across a crash
            request.parentInstanceId.value = instance.instance_id
            self._locks[request.criticalSectionId] = request
            self.note(LOCK, request.criticalSectionId, request.SerializeToString())
        super()._process_send_entity_message_action(instance, action)
        if message.HasField("entityUnlockSent"):
            self._after_unlock(
                message.entityUnlockSent.criticalSectionId, message.entityUnlockSent.targetInstanceId.value
            )

    @override
    def _can_grant_lock(self, pending: PendingLockRequest) -> bool:
        busy = any(id_ in self._entity_in_flight for id_ in pending.lock_set)
        return not busy and super()._can_grant_lock(pending)

    @override
    def _grant_lock(self, pending: PendingLockRequest) -> None:
        super()._grant_lock(pending)
        for id_ in pending.lock_set:
            self._touch(id_)

    def _after_unlock(self, section: str, entity_id: str) -> None:
        if entity_id in self._entities:
            self._enqueue_entity(entity_id)
        lock = self._locks.get(section)
        held = [id_ for id_ in lock.lockSet if self._entities[id_].locked_by == section] if lock else []
        if not held:
            self._locks.pop(section, None)
            self.note(LOCK, section, None)

    def _release_locks_of(self, instance_id: str) -> None:
        """An orchestration that ended, however it ended, holds no lock and waits for none."""
        sections = [s for s, lock in self._locks.items() if lock.parentInstanceId.value == instance_id]
        for section in sections:
            self._pending_lock_requests = [p for p in self._pending_lock_requests if p.critical_section_id != section]
            for id_ in self._locks.pop(section).lockSet:
                if id_ in self._entities and self._entities[id_].locked_by == section:
                    self._entities[id_].locked_by = None
                    self._enqueue_entity(id_)
            self.note(LOCK, section, None)
        if sections:
            self._try_grant_pending_locks()

    @override
    def CleanEntityStorage(
        self, request: pb.CleanEntityStorageRequest, context: ServicerContext
    ) -> pb.CleanEntityStorageResponse:
        with self._lock:
            request.releaseOrphanedLocks = False  # none is ever orphaned; the stock check takes every lock for one
            before = list(self._entities)
            reply = super().CleanEntityStorage(request, context)
            for id_ in before:
                self._touch(id_)
            return reply
