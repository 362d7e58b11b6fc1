"""The Durable extension's HTTP API, `/runtime/webhooks/durabletask`: orchestrations and entities from outside.

Source of the paths, codes and fields: Microsoft Learn, "HTTP APIs in Durable Functions".
"""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal.helpers import get_string_value, new_timestamp
from google.protobuf.timestamp_pb2 import Timestamp

from localhost.backend import Backend
from localhost.calls import LOCAL_CALL, CallRefusedError
from localhost.core import NotCommittedError
from localhost.messages import Reply, Request, json_reply, problem
from localhost.status import STATUS_NAMES, entity_json, status_json

BASE_PATH = "/runtime/webhooks/durabletask"
DEFAULT_PAGE = 100
ENDED = {pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_FAILED, pb.ORCHESTRATION_STATUS_TERMINATED}
HTTP_STATUS = {
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 410,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
}


class BadRequestError(ValueError):
    """A query parameter or body that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A management request, its path split below the base; `code` goes into the links of the answer."""

    request: Request
    path: Sequence[str]
    query: Mapping[str, str]
    code: str

    def flag(self, name: str, default: bool) -> bool:
        return self.query.get(name, str(default)).lower() == "true"

    def time(self, name: str) -> Timestamp | None:
        if not (value := self.query.get(name)):
            return None
        try:
            when = datetime.fromisoformat(value)
        except ValueError as error:
            raise BadRequestError(f"{name}: '{value}' is not an ISO 8601 time") from error
        return new_timestamp(when if when.tzinfo else when.astimezone())

    def number(self, name: str, default: int) -> int:
        value = self.query.get(name, str(default))
        if not value.isdecimal() or not int(value):
            raise BadRequestError(f"{name}: '{value}' is not a positive whole number")
        return int(value)

    def statuses(self) -> list[pb.OrchestrationStatus]:
        names = [name.strip() for name in self.query.get("runtimeStatus", "").split(",") if name.strip()]
        try:
            return [STATUS_NAMES[name.lower()] for name in names]
        except KeyError as error:
            raise BadRequestError(f"runtimeStatus: unknown status {error}") from error

    def json_body(self) -> str | None:
        """The body as JSON text, checked; None where there is none."""
        if not self.request.body:
            return None
        try:
            json.loads(self.request.body)
        except ValueError as error:
            raise BadRequestError(f"the body is not JSON: {error}") from error
        return self.request.body.decode()


class Management:
    """Answers management requests; each call waits for its commit before it answers."""

    def __init__(self, backend: Backend, code: str) -> None:
        self._backend, self._code = backend, code

    async def answer(self, request: Request) -> Reply:
        path = [unquote(part) for part in request.path[len(BASE_PATH) :].strip("/").split("/")]
        return await asyncio.to_thread(self._answer, Call(request, path, request.query(), self._code))

    def _answer(self, call: Call) -> Reply:
        try:
            reply = self._route(call)
            self._backend.wait_committed()
        except BadRequestError as error:
            return problem(400, str(error))
        except CallRefusedError as error:
            return problem(HTTP_STATUS.get(error.code, 500), str(error))
        except NotCommittedError as error:
            return problem(503, str(error))
        return reply

    def _route(self, call: Call) -> Reply:
        match (call.request.method, *call.path):
            case ("POST", "orchestrators", name, *rest) if len(rest) <= 1:
                return self._start(call, name, rest[0] if rest else "")
            case ("GET", "instances"):
                return self._list(call)
            case ("DELETE", "instances"):
                return self._purge_many(call)
            case ("GET", "instances", id_):
                return self._status(call, id_)
            case ("DELETE", "instances", id_):
                return _purged(self._backend.PurgeInstances(pb.PurgeInstancesRequest(instanceId=id_), LOCAL_CALL))
            case ("POST", "instances", id_, operation, *rest):
                return self._control(call, id_, operation, rest)
            case ("GET", "entities", *rest) if len(rest) <= 1:
                return self._list_entities(call, rest[0] if rest else "")
            case ("GET", "entities", name, key):
                return self._read_entity(name, key)
            case ("POST", "entities", name, key):
                return self._signal(call, name, key)
            case _:
                return problem(404, "no such management operation")

    def _start(self, call: Call, name: str, id_: str) -> Reply:
        created = pb.CreateInstanceRequest(name=name, instanceId=id_, input=get_string_value(call.json_body()))
        return _links_reply(call, self._backend.StartInstance(created, LOCAL_CALL).instanceId)

    def _find(self, id_: str) -> pb.OrchestrationState:
        found = self._backend.GetInstance(pb.GetInstanceRequest(instanceId=id_, getInputsAndOutputs=True), LOCAL_CALL)
        if not found.exists:
            raise CallRefusedError(grpc.StatusCode.NOT_FOUND, f"No instance with ID '{id_}' found.")
        return found.orchestrationState

    def _status(self, call: Call, id_: str) -> Reply:
        state = self._find(id_)
        history = self._history(id_) if call.flag("showHistory", False) else None
        show_output = call.flag("showHistoryOutput", False)
        body = status_json(state, call.flag("showInput", True), history, show_output)
        if state.orchestrationStatus not in ENDED:
            return json_reply(202, body, ("location", _link(call, id_)), ("retry-after", "10"))
        failed = state.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED
        return json_reply(500 if failed and call.flag("returnInternalServerErrorOnFailure", False) else 200, body)

    def _history(self, id_: str) -> list[pb.HistoryEvent]:
        request = pb.StreamInstanceHistoryRequest(instanceId=id_)
        return [event for chunk in self._backend.StreamInstanceHistory(request, LOCAL_CALL) for event in chunk.events]

    def _list(self, call: Call) -> Reply:
        query = pb.InstanceQuery(
            runtimeStatus=call.statuses(),
            createdTimeFrom=call.time("createdTimeFrom"),
            createdTimeTo=call.time("createdTimeTo"),
            instanceIdPrefix=get_string_value(call.query.get("instanceIdPrefix")),
            maxInstanceCount=call.number("top", DEFAULT_PAGE),
            continuationToken=get_string_value(call.request.headers.get("x-ms-continuation-token")),
            fetchInputsAndOutputs=True,
        )
        page = self._backend.QueryInstances(pb.QueryInstancesRequest(query=query), LOCAL_CALL)
        show_input = call.flag("showInput", True)
        more = [("x-ms-continuation-token", page.continuationToken.value)] if page.continuationToken.value else []
        return json_reply(200, [status_json(state, show_input) for state in page.orchestrationState], *more)

    def _purge_many(self, call: Call) -> Reply:
        chosen = pb.PurgeInstanceFilter(
            createdTimeFrom=call.time("createdTimeFrom"),
            createdTimeTo=call.time("createdTimeTo"),
            runtimeStatus=call.statuses(),
        )
        if not chosen.HasField("createdTimeFrom"):
            raise BadRequestError("createdTimeFrom: must be given to purge by filter")
        return _purged(self._backend.PurgeInstances(pb.PurgeInstancesRequest(purgeInstanceFilter=chosen), LOCAL_CALL))

    def _control(self, call: Call, id_: str, operation: str, rest: Sequence[str]) -> Reply:
        backend, reason = self._backend, call.query.get("reason")
        ended = self._find(id_).orchestrationStatus in ENDED
        match (operation, *rest):
            case ("restart",):
                return self._restart(call, id_)
            case ("rewind",):
                rewind = pb.RewindInstanceRequest(instanceId=id_, reason=get_string_value(reason))
                backend.RewindInstance(rewind, LOCAL_CALL)
            case ("terminate",) | ("suspend",) | ("resume",) | ("raiseEvent", _) if ended:
                return problem(410, f"The instance '{id_}' has ended.")
            case ("terminate",):
                output = get_string_value(None if reason is None else json.dumps(reason))
                backend.TerminateInstance(
                    pb.TerminateRequest(instanceId=id_, output=output, recursive=True), LOCAL_CALL
                )
            case ("suspend",):
                backend.SuspendInstance(pb.SuspendRequest(instanceId=id_, reason=get_string_value(reason)), LOCAL_CALL)
            case ("resume",):
                backend.ResumeInstance(pb.ResumeRequest(instanceId=id_, reason=get_string_value(reason)), LOCAL_CALL)
            case ("raiseEvent", name):
                event = pb.RaiseEventRequest(instanceId=id_, name=name, input=get_string_value(call.json_body()))
                backend.RaiseEvent(event, LOCAL_CALL)
            case _:
                return problem(404, f"no such operation: {operation}")
        return Reply(202)

    def _restart(self, call: Call, id_: str) -> Reply:
        renew = call.flag("restartWithNewInstanceId", True)
        request = pb.RestartInstanceRequest(instanceId=id_, restartWithNewInstanceId=renew)
        return _links_reply(call, self._backend.RestartInstance(request, LOCAL_CALL).instanceId)

    # --- entities

    def _read_entity(self, name: str, key: str) -> Reply:
        request = pb.GetEntityRequest(instanceId=_entity_id(name, key), includeState=True)
        found = self._backend.GetEntity(request, LOCAL_CALL)
        if not found.exists or not found.entity.HasField("serializedState"):
            return problem(404, f"No entity '{name}' with the key '{key}' found.")
        return json_reply(200, json.loads(found.entity.serializedState.value))

    def _signal(self, call: Call, name: str, key: str) -> Reply:
        request = pb.SignalEntityRequest(
            instanceId=_entity_id(name, key),
            name=call.query.get("op", ""),
            input=get_string_value(call.json_body()),
            requestId=str(uuid.uuid4()),
        )
        self._backend.SignalEntity(request, LOCAL_CALL)
        return Reply(202)

    def _list_entities(self, call: Call, name: str) -> Reply:
        query = pb.EntityQuery(
            instanceIdStartsWith=get_string_value(f"@{name.lower()}@" if name else None),
            lastModifiedFrom=call.time("lastOperationTimeFrom"),
            lastModifiedTo=call.time("lastOperationTimeTo"),
            includeState=call.flag("fetchState", False),
            includeTransient=True,
            continuationToken=get_string_value(call.request.headers.get("x-ms-continuation-token")),
        )
        query.pageSize.value = call.number("top", DEFAULT_PAGE)
        page = self._backend.QueryEntities(pb.QueryEntitiesRequest(query=query), LOCAL_CALL)
        more = [("x-ms-continuation-token", page.continuationToken.value)] if page.continuationToken.value else []
        return json_reply(200, [entity_json(entity) for entity in page.entities], *more)


def _entity_id(name: str, key: str) -> str:
    return f"@{name.lower()}@{key}"


def _purged(reply: pb.PurgeInstancesResponse) -> Reply:
    status = 200 if reply.deletedInstanceCount else 404
    return json_reply(status, {"instancesDeleted": reply.deletedInstanceCount})


def _link(call: Call, id_: str, rest: str = "", extra: str = "") -> str:
    return f"{call.request.origin()}{BASE_PATH}/instances/{quote(id_, safe='')}{rest}?{extra}code={call.code}"


def _links_reply(call: Call, id_: str) -> Reply:
    reason = "reason={text}&"
    links = {
        "id": id_,
        "statusQueryGetUri": _link(call, id_),
        "sendEventPostUri": _link(call, id_, "/raiseEvent/{eventName}"),
        "terminatePostUri": _link(call, id_, "/terminate", reason),
        "rewindPostUri": _link(call, id_, "/rewind", reason),
        "purgeHistoryDeleteUri": _link(call, id_),
        "restartPostUri": _link(call, id_, "/restart"),
        "suspendPostUri": _link(call, id_, "/suspend", reason),
        "resumePostUri": _link(call, id_, "/resume", reason),
    }
    return json_reply(202, links, ("location", _link(call, id_)), ("retry-after", "10"))
