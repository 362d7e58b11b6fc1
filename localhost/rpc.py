"""The gRPC door through which the app's durable clients reach the backend; no reply leaves before its commit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast, override

import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc

from localhost.backend import Backend
from localhost.core import NotCommittedError

MAX_MESSAGE_BYTES = 2**31 - 1
THREADS = 64  # a client that waits for an orchestration holds one
COMMIT_TIMEOUT_SECONDS = 30


class _CommitFirst(grpc.ServerInterceptor):
    """Holds each reply until all that was changed before it is on disk, what it merely read included."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @override
    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        parts = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary is None:
            return grpc.unary_stream_rpc_method_handler(
                self._held(handler.unary_stream, lambda replies: iter(list(replies))), *parts
            )
        return grpc.unary_unary_rpc_method_handler(self._held(handler.unary_unary, lambda reply: reply), *parts)

    def _held(self, answer: Callable[..., Any], whole: Callable[[Any], Any]) -> Callable[..., Any]:
        def behaviour(request: Any, context: grpc.ServicerContext) -> Any:
            reply = whole(answer(request, context))
            try:
                self._backend.wait_committed(COMMIT_TIMEOUT_SECONDS)
            except NotCommittedError as error:
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
            return reply

        return behaviour


class RpcServer:
    """A gRPC server on a free loopback port; messages may be as large as gRPC allows."""

    def __init__(self, backend: Backend) -> None:
        options = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ]
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rpc")
        self._server = grpc.server(pool, interceptors=[_CommitFirst(backend)], options=options)
        cast(Any, stubs).add_TaskHubSidecarServiceServicer_to_server(backend, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self, grace_seconds: float) -> None:
        self._server.stop(grace_seconds).wait()
