"""The host's life: load the app, read the state back, serve, and stop without losing anything."""

import asyncio
import contextlib
import fcntl
import json
import logging
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

import durabletask.internal.orchestrator_service_pb2 as pb
import uvicorn

from localhost import clock as host_clock
from localhost.admin import Admin
from localhost.backend import Backend
from localhost.clock import Clock
from localhost.dispatch import Dispatcher
from localhost.engine import Engine
from localhost.http import HttpApp
from localhost.invoke import Invoker
from localhost.journal import Journal
from localhost.keys import NO_KEYS, Keys
from localhost.management import BASE_PATH, Management
from localhost.rpc import MAX_MESSAGE_BYTES, RpcServer
from localhost.settings import HostSettings, is_disabled, load_environment, read_host_settings, set_setting, time_zone
from localhost.timers import Timers
from localhost.worker import Function, Worker

log = logging.getLogger("localhost.host")
ADDRESS = "127.0.0.1"
NOW_SETTING = "LOCALHOST_NOW"
BACKLOG = 256
LOOP_TIMEOUT_SECONDS = 5


class StateInUseError(Exception):
    """Another host works on this state directory."""


@dataclass(frozen=True, slots=True)
class HostOptions:
    """How to run an app. Without a state directory the state dies with the process; port 0 takes a free one."""

    app_dir: Path
    state_dir: Path | None = None
    port: int = 0
    virtual_clock: bool = False
    keys: Keys = NO_KEYS
    grace_seconds: float = 10.0


class LocalHost:
    """One Functions host; one a process, since Microsoft's worker library keeps its registry in module globals.

    A context manager: `with LocalHost(HostOptions(app, virtual_clock=True)) as host: host.advance(timedelta(days=14))`.
    """

    def __init__(self, options: HostOptions) -> None:
        self.options = options
        self.clock = Clock(virtual=options.virtual_clock)
        self._cleanup = contextlib.ExitStack()
        self._stopped_cleanly = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self._socket.getsockname()[1]}"

    def settle(self, until: Callable[[], bool] | None = None, timeout_seconds: float = 30) -> None:
        """Runs all work that is due; with `until`, jumps from timer to timer until it holds. Raises NotSettledError."""
        self.engine.settle(until, timeout_seconds)

    def advance(self, by: timedelta, timeout_seconds: float = 30) -> None:
        """Lives through a span, each timer at its own time. Raises NotSettledError."""
        self.engine.advance_to(self.clock.now() + by, timeout_seconds)

    def start(self) -> None:
        """Returns when HTTP is served. Raises what keeps the app from running: AppLoadError, BadSettingsError, ..."""
        with contextlib.ExitStack() as undo:
            self._start(undo)
            self._cleanup = undo.pop_all()

    def stop(self) -> bool:
        """Stops taking requests, lets what runs finish within the grace, commits. False: something still ran."""
        self.engine.interrupt()
        self._cleanup.close()
        return self._stopped_cleanly

    def _start(self, undo: contextlib.ExitStack) -> None:
        app_dir = self.options.app_dir.resolve()
        load_environment(app_dir)
        settings = read_host_settings(app_dir)
        host_clock.install(self.clock)
        set_setting(NOW_SETTING, "localhost.clock:now")
        journal_path = undo.enter_context(_claimed(self.options.state_dir))
        self._socket = undo.enter_context(_listening(self.options.port))
        loop = undo.enter_context(_running_loop())
        backend = Backend(
            self.clock,
            allow_replacing_running=settings.allow_replacing_running,
            max_orchestrations=settings.max_orchestrations,
        )
        rpc = RpcServer(backend)
        undo.callback(rpc.stop, grace_seconds=1)
        worker = Worker(_client_config(self.url, rpc.port, settings.hub_name, self.options.keys.system))
        functions = [f for f in _result(worker.load(app_dir), loop) if not is_disabled(f.name)]
        undo.callback(self._stop_workers, worker)
        journal = Journal(journal_path)
        Engine.restore_clock(self.clock, journal)
        backend.load(journal)
        app = self._assemble(backend, journal, Invoker(worker), functions, loop, settings)
        undo.callback(self._stop_engine)
        undo.enter_context(_serving(app, self._socket, loop, self.options.grace_seconds))
        _announce(functions, self.url)

    def _assemble(
        self,
        backend: Backend,
        journal: Journal,
        invoker: Invoker,
        functions: Sequence[Function],
        loop: asyncio.AbstractEventLoop,
        settings: HostSettings,
    ) -> HttpApp:
        """Everything that the functions are called through; starts the timers and the engine."""
        keys = self.options.keys
        dispatcher = Dispatcher(backend, invoker, functions, settings.max_activities)
        self.engine = Engine(backend, journal, _handing_over(dispatcher, loop))
        timers = Timers(backend, invoker, functions, loop, time_zone())
        admin = Admin(keys, {f.name: f for f in functions}, timers.run_now, self.engine)
        management = Management(backend, keys.system)
        app = HttpApp(functions, settings.route_prefix, keys, invoker, management, admin)
        timers.start(journal)  # The engine's thread owns the journal once it runs: all reading comes before.
        self.engine.start()
        return app

    def _stop_engine(self) -> None:
        if not self.engine.stop(self.options.grace_seconds):
            self._stopped_cleanly = False
            log.warning("work was still running after the grace; the next start runs it again")

    def _stop_workers(self, worker: Worker) -> None:
        if self._stopped_cleanly:
            worker.stop()


@contextlib.contextmanager
def _claimed(state_dir: Path | None) -> Generator[Path | None]:
    """The journal's path, held for this process alone. Raises StateInUseError."""
    if state_dir is None:
        yield None
        return
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "host.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUseError(f"another host is using {state_dir}") from error
        yield state_dir.resolve() / "durable.sqlite"


@contextlib.contextmanager
def _listening(port: int) -> Generator[socket.socket]:
    with socket.create_server((ADDRESS, port), backlog=BACKLOG) as bound:
        # asyncio sets this only on sockets that name their protocol; without it each reply waits 40 ms for an ACK.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield bound


@contextlib.contextmanager
def _running_loop() -> Generator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="host", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LOOP_TIMEOUT_SECONDS)
        if not thread.is_alive():  # an async function that blocks holds the loop; its work is in the journal
            loop.close()


@contextlib.contextmanager
def _serving(
    app: HttpApp, bound: socket.socket, loop: asyncio.AbstractEventLoop, grace_seconds: float
) -> Generator[None]:
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=max(1, int(grace_seconds)),
    )
    server = uvicorn.Server(config)
    served = asyncio.run_coroutine_threadsafe(server.serve([bound]), loop)
    while not server.started and not served.done():
        threading.Event().wait(0.002)
    if served.done():
        served.result()
    try:
        yield
    finally:
        server.should_exit = True
        served.result()


def _result[T](coroutine: Coroutine[None, None, T], loop: asyncio.AbstractEventLoop) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def _handing_over(dispatcher: Dispatcher, loop: asyncio.AbstractEventLoop) -> Callable[[Sequence[pb.WorkItem]], None]:
    running: set[asyncio.Task[None]] = set()

    def begin(items: Sequence[pb.WorkItem]) -> None:
        for item in items:
            task = loop.create_task(dispatcher.run(item))
            running.add(task)  # The loop keeps only weak references to its tasks.
            task.add_done_callback(running.discard)

    def hand_over(items: Sequence[pb.WorkItem]) -> None:
        loop.call_soon_threadsafe(begin, items)

    return hand_over


def _client_config(url: str, rpc_port: int, hub_name: str, code: str) -> str:
    """What the Durable extension hands to a `durableClient` binding."""
    return json.dumps(
        {
            "taskHubName": hub_name,
            "rpcBaseUrl": f"{ADDRESS}:{rpc_port}",
            "httpBaseUrl": url + BASE_PATH,
            "baseUrl": url + BASE_PATH,
            "requiredQueryStringParameters": f"code={code}",
            "maxGrpcMessageSizeInBytes": MAX_MESSAGE_BYTES,
        }
    )


def _announce(functions: Sequence[Function], url: str) -> None:
    for function in functions:
        where = function.setting("route", "schedule") or ""
        log.info("%s [%s] %s", function.name, function.kind.removesuffix("trigger"), where)
    log.info("serving %d functions at %s", len(functions), url)
