"""Durable work items to function calls and back: what the Durable extension does between backend and worker."""

import asyncio
import base64
import logging
from collections.abc import Iterable, Mapping

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers

from localhost.backend import Backend
from localhost.calls import LOCAL_CALL
from localhost.invoke import Invoker
from localhost.worker import Function, FunctionFailedError, Message, json_text, text

log = logging.getLogger("localhost.dispatch")


class MissingFunctionError(Exception):
    """The app has no such function, or it is disabled."""


class BadAnswerError(Exception):
    """The worker library answered with something that is no message."""


class Dispatcher:
    """Runs work items on the host's loop. Every item is answered: one that cannot run is answered as failed."""

    def __init__(self, backend: Backend, invoker: Invoker, functions: Iterable[Function], max_activities: int) -> None:
        self._backend, self._invoker = backend, invoker
        functions = list(functions)
        self._orchestrators = _by_name(functions, "orchestrationtrigger", "orchestration")
        self._activities = _by_name(functions, "activitytrigger", "activity")
        self._entities = _by_name(functions, "entitytrigger", "entityName", "entity_name")
        self._room = asyncio.Semaphore(max_activities)

    async def run(self, item: pb.WorkItem) -> None:
        if item.HasField("activityRequest"):
            async with self._room:
                activity = await self._activity(item.activityRequest, item.completionToken)
            self._backend.CompleteActivityTask(activity, LOCAL_CALL)
        elif item.HasField("orchestratorRequest"):
            response = await self._orchestrator(item.orchestratorRequest, item.completionToken)
            self._complete_orchestrator(item.orchestratorRequest.instanceId, response)
        else:
            self._backend.CompleteEntityTask(await self._entity(item.entityRequestV2, item.completionToken), LOCAL_CALL)

    def _complete_orchestrator(self, instance_id: str, response: pb.OrchestratorResponse) -> None:
        try:
            self._backend.CompleteOrchestratorTask(response, LOCAL_CALL)
        except Exception as error:
            log.exception("the answer of orchestration %s cannot be applied", instance_id)
            self._backend.CompleteOrchestratorTask(
                _failed_orchestrator(instance_id, response.completionToken, error), LOCAL_CALL
            )

    async def _orchestrator(self, request: pb.OrchestratorRequest, token: str) -> pb.OrchestratorResponse:
        try:
            name = _orchestrator_name(request)
            function = _find(self._orchestrators, name, "orchestrator")
            returned = await self._invoker.invoke(function, text(_encode(request)))
            response = pb.OrchestratorResponse.FromString(_decode(returned))
            response.instanceId, response.completionToken = request.instanceId, token
        except Exception as error:
            _log_unexpected(error, "orchestrator", request.instanceId)
            response = _failed_orchestrator(request.instanceId, token, error)
        return response

    async def _activity(self, request: pb.ActivityRequest, token: str) -> pb.ActivityResponse:
        instance_id = request.orchestrationInstance.instanceId
        response = pb.ActivityResponse(instanceId=instance_id, taskId=request.taskId, completionToken=token)
        try:
            function = _find(self._activities, request.name, "activity")
            value = request.input.value if request.HasField("input") else "null"
            result = await self._invoker.invoke(function, json_text(value))
            response.result.value = result.json if result else "null"
        except Exception as error:
            _log_unexpected(error, "activity", f"{request.name} of {instance_id}")
            response.failureDetails.CopyFrom(_details(error))
        return response

    async def _entity(self, request: pb.EntityRequest, token: str) -> pb.EntityBatchResult:
        batch, infos = helpers.convert_to_entity_batch_request(request)
        try:
            function = _find(self._entities, request.instanceId.split("@")[1], "entity")
            returned = await self._invoker.invoke(function, text(_encode(batch)))
            result = pb.EntityBatchResult.FromString(_decode(returned))
        except Exception as error:
            _log_unexpected(error, "entity", request.instanceId)
            failure = pb.OperationResult(failure=pb.OperationResultFailure(failureDetails=_details(error)))
            result = pb.EntityBatchResult(results=[failure] * len(batch.operations))
            if request.HasField("entityState"):
                result.entityState.CopyFrom(request.entityState)
        del result.operationInfos[:]
        result.operationInfos.extend(infos)
        result.completionToken = token
        return result


def _by_name(functions: Iterable[Function], kind: str, *settings: str) -> Mapping[str, Function]:
    return {(f.setting(*settings) or f.name).lower(): f for f in functions if f.kind == kind}


def _find(functions: Mapping[str, Function], name: str, role: str) -> Function:
    if function := functions.get(name.lower()):
        return function
    raise MissingFunctionError(f"The function '{name}' doesn't exist, is disabled, or is not an {role} function.")


def _orchestrator_name(request: pb.OrchestratorRequest) -> str:
    events = [*request.pastEvents, *request.newEvents]
    return next(e.executionStarted.name for e in reversed(events) if e.HasField("executionStarted"))


def _encode(message: pb.OrchestratorRequest | pb.EntityBatchRequest) -> str:
    return base64.b64encode(message.SerializeToString()).decode()


def _decode(returned: Message | None) -> bytes:
    """Raises BadAnswerError where the worker library returned no message."""
    encoded = returned.string if returned else None
    if not encoded:
        raise BadAnswerError("the function returned nothing")
    return base64.b64decode(encoded, validate=True)


def _failed_orchestrator(instance_id: str, token: str, error: Exception) -> pb.OrchestratorResponse:
    complete = pb.CompleteOrchestrationAction(
        orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, failureDetails=_details(error)
    )
    action = pb.OrchestratorAction(id=-1, completeOrchestration=complete)
    return pb.OrchestratorResponse(instanceId=instance_id, actions=[action], completionToken=token)


def _details(error: Exception) -> pb.TaskFailureDetails:
    """Never with an empty message: the backend takes that for success."""
    if isinstance(error, FunctionFailedError):
        return pb.TaskFailureDetails(
            errorType=error.kind, errorMessage=error.message, stackTrace=helpers.get_string_value(error.stack)
        )
    missing = isinstance(error, MissingFunctionError)
    kind = type(error).__name__
    return pb.TaskFailureDetails(errorType=kind, errorMessage=str(error) or kind, isNonRetriable=missing)


def _log_unexpected(error: Exception, role: str, what: str) -> None:
    if not isinstance(error, FunctionFailedError):  # a function's own failure is logged where it was invoked
        log.error("%s %s: %s", role, what, error, exc_info=not isinstance(error, MissingFunctionError))
