"""The SDK's in-memory backend behind a real durable client, as a function app gets one from its host."""

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from azure.durable_functions import SyncDurableFunctionsClient
from azure.durable_functions.internal.serialization import DEFAULT_FUNCTIONS_DATA_CONVERTER
from durabletask.testing import InMemoryOrchestrationBackend
from durabletask.worker import TaskHubGrpcWorker

from shared.durable.calls import WorkflowCall
from shared.durable.engine import Engine
from shared.durable.register import Orchestrator, as_orchestrator


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


def client_of(address: str) -> SyncDurableFunctionsClient:
    config = {"taskHubName": "test", "rpcBaseUrl": address, "requiredQueryStringParameters": "", "baseUrl": ""}
    return SyncDurableFunctionsClient(json.dumps(config))


@contextmanager
def running_engine() -> Generator[tuple[Engine, str]]:
    """An engine on which nothing works yet: what is started waits. Also tells where a worker finds it."""
    backend = InMemoryOrchestrationBackend(port=free_port())
    address = backend.start()
    client = client_of(address)
    try:
        yield Engine(client), address
    finally:
        client.close()
        backend.stop()


@contextmanager
def working[I, O](address: str, call: WorkflowCall[I, O], workflow: Orchestrator[I, O]) -> Generator[None]:
    """A worker that runs this workflow, in real time."""
    worker = TaskHubGrpcWorker(host_address=address, data_converter=DEFAULT_FUNCTIONS_DATA_CONVERTER)
    orchestrator: Any = as_orchestrator(workflow, call)
    worker.add_orchestrator(orchestrator)
    worker.start()
    try:
        yield
    finally:
        worker.stop()
