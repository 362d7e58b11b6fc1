"""Drives Microsoft's Functions Python worker library (`azure_functions_runtime`) in this process, without its host.

The library speaks the worker protocol's messages by duck typing, so plain objects stand in for them here. It keeps
its registry in module globals: one app a process.
"""

import json
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import azure_functions_runtime
from azure_functions_runtime.utils import executor

runtime = cast(Any, azure_functions_runtime)  # it has no types
current_invocation: ContextVar[str | None] = cast(Any, executor).invocation_id_cv

DURABLE_CLIENT = "durableclient"
TRIGGERS = {"activitytrigger", "entitytrigger", "httptrigger", "orchestrationtrigger", "timertrigger"}
BINDINGS = {*TRIGGERS, DURABLE_CLIENT, "http"}


class Message:
    """Any message of the worker protocol: a field that was not set reads as None."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "TypedData":
            raise AttributeError(name)
        return None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        return next((name for name, value in self.__dict__.items() if value is not None), None)


def _enumeration(**members: object) -> type[Message]:
    return type("Enumeration", (Message,), dict(members))


class _Protocol:
    """The module of message types; types without constants are made when they are first asked for."""

    TypedData = type("TypedData", (Message,), {})
    BindingInfo = _enumeration(undefined=0, out=1, inout=2)
    StatusResult = _enumeration(Failure=0, Success=1)
    RpcHttpCookie = _enumeration(SameSite=_enumeration(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3}))
    Timestamp = None

    def __getattr__(self, name: str) -> type[Message]:
        made = type(name, (Message,), {})
        setattr(self, name, made)
        return made


class _Parameter:
    """A named input value; its one field is always `data`."""

    __slots__ = ("data", "name")

    def __init__(self, name: str, data: Message) -> None:
        self.name, self.data = name, data

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


def text(value: str) -> Message:
    return _Protocol.TypedData(string=value)


def json_text(value: str) -> Message:
    return _Protocol.TypedData(json=value)


def http_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
) -> Message:
    data = _Protocol.TypedData(bytes=body)
    http = Message(method=method, url=url, headers=headers, params=params, query=query, body=data)
    return _Protocol.TypedData(http=http)


class AppLoadError(Exception):
    """The app could not be imported or indexed; the message is the app's own error, with its stack."""


class FunctionFailedError(Exception):
    """A function raised; `kind` is the exception's type, `stack` where it came from."""

    def __init__(self, raised: Message) -> None:
        kind, _, message = str(raised.message).partition(": ")
        self.kind, self.message, self.stack = kind, message or kind, str(raised.stack_trace or "")
        super().__init__(str(raised.message))


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function: its trigger's settings and the names of its durable client inputs."""

    id: str
    name: str
    trigger: Mapping[str, Any]
    clients: Sequence[str]

    @property
    def kind(self) -> str:
        """The trigger's type in lower case, such as `httptrigger`."""
        return str(self.trigger["type"]).lower()

    def setting(self, *names: str) -> str | None:
        """The first of these trigger settings that is set."""
        return next((str(self.trigger[name]) for name in names if self.trigger.get(name) is not None), None)


class Worker:
    """The loaded app. `invoke` runs sync functions in the library's thread pool, async ones on the calling loop."""

    def __init__(self, client_config: str) -> None:
        """`client_config` is the JSON that durable client inputs are built from."""
        self._client_config = text(client_config)

    async def load(self, app_dir: Path) -> Sequence[Function]:
        """Imports and indexes `function_app.py`. Raises AppLoadError."""
        sys.path.insert(0, str(app_dir))
        os.chdir(app_dir)
        runtime.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app_dir))
        properties = {"host": "127.0.0.1", "protos": _Protocol()}
        request = SimpleNamespace(properties=properties, request=SimpleNamespace(worker_init_request=init))
        reply = await runtime.worker_init_request(request)
        if reply.result.status == 0:
            raise AppLoadError(f"{reply.result.exception.message}\n{reply.result.exception.stack_trace}")
        indexed = await runtime.functions_metadata_request(SimpleNamespace())
        found: list[Any] = indexed.function_metadata_results or []
        return [_function(metadata) for metadata in found]

    async def invoke(self, function: Function, data: Message, invocation_id: str = "") -> Message | None:
        """Runs the function with its trigger's data; its return value, if any. Raises FunctionFailedError."""
        invocation_id = invocation_id or str(uuid.uuid4())
        current_invocation.set(invocation_id)
        inputs = [_Parameter(function.trigger["name"], data)]
        inputs += [_Parameter(name, self._client_config) for name in function.clients]
        invocation = SimpleNamespace(
            invocation_id=invocation_id,
            function_id=function.id,
            input_data=inputs,
            trigger_metadata={},
            trace_context=Message(attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0),
        )
        request = SimpleNamespace(request=SimpleNamespace(invocation_request=invocation))
        reply = await runtime.invocation_request(request)
        if reply.result.status == 0:
            raise FunctionFailedError(reply.result.exception)
        return reply.return_value

    def stop(self) -> None:
        runtime.stop_threadpool_executor()


def _function(metadata: Any) -> Function:
    bindings = [cast(dict[str, Any], json.loads(raw)) for raw in metadata.raw_bindings]
    strange = [b["type"] for b in bindings if b["type"].lower() not in BINDINGS]
    if strange:
        raise AppLoadError(f"{metadata.name}: this host has no binding of the type {', '.join(strange)}")
    triggers = [b for b in bindings if b["type"].lower().endswith("trigger")]
    clients = [b["name"] for b in bindings if b["type"].lower() == DURABLE_CLIENT]
    return Function(metadata.function_id, metadata.name, triggers[0], clients)
