"""Serves the stand-in over HTTP, with the faults it was told to have."""

import socket
import struct
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.agent.stand_in import Fault, How, Reply, Request, StandIn, problem
from tests.agent.stand_in_api import Api
from tests.agent.stand_in_blobs import Blobs


@contextmanager
def running(stand_in: StandIn, port: int = 0) -> Generator[StandIn]:
    class Handler(_Handler):
        state = stand_in

    server = _Server(("127.0.0.1", port), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that lose patience hang up: on a busy machine that is no fault of anybody's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: StandIn

    def end_headers(self) -> None:
        self.send_header("Hort-Time", (datetime.now(UTC) + self.state.clock_ahead).isoformat())
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class calls it so
        """Tests have nothing to tell."""

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fault = self.state.take_fault(f"{self.command} {self.path.partition('?')[0]}")
        if fault and fault.how is How.ANSWER:
            self.send(_fault_reply(fault))
            return
        if fault and fault.how is How.RESET_BEFORE:
            self.reset()
            return
        with self.state.lock:
            reply = self.answer(body)
        match fault:
            case Fault(how=How.RESET_AFTER):
                self.reset()
            case Fault(how=How.CUT_SHORT):
                self.send(reply, cut=True)
            case Fault(how=How.SLOW):
                time.sleep(self.state.slow_seconds)
                self.send(reply)
            case _:
                self.send(reply)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815 -- the base class calls them so

    def answer(self, body: bytes) -> Reply:
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parse_qs(parts.query), dict(self.headers.items()), body)
        return (Blobs if parts.path.startswith("/blobs/") else Api)(self.state, request).answer()

    def send(self, reply: Reply, *, cut: bool = False) -> None:
        try:
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
            if cut:
                self.wfile.flush()
                self.reset()
        except OSError:
            self.close_connection = True

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


def _fault_reply(fault: Fault) -> Reply:
    headers = {"x-ms-error-code": fault.code}
    if fault.retry_after:
        headers["Retry-After"] = fault.retry_after
    return Reply(fault.status, problem(fault.status, "fault", "on order").body, headers)
