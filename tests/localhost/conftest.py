"""Runs test apps in hosts of their own: Microsoft's worker library allows one app a process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

APPS = Path(__file__).parent / "apps"
WEBHOOK = "/runtime/webhooks/durabletask"
START_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class HostProcess:
    """A host in a process of its own, reached over HTTP."""

    def __init__(self, process: subprocess.Popen[bytes], ready: Path, log: Path, tally: Path) -> None:
        self.process, self._log, self.tally = process, log, tally
        told = json.loads(ready.read_text())
        self.url: str = told["url"]
        self.connection_string: str | None = told["connection_string"]
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Bytes go as they are, other bodies as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        reply = self._pool.request(method, self.url + path, body=data, headers=headers, timeout=60, redirect=False)
        return Answer(reply.status, reply.headers, reply.data)

    def start(self, name: str, body: Any = None, **query: str) -> str:
        """Starts an orchestration through the durable client; its id."""
        answer = self.call("POST", f"/api/start/{name}?" + urlencode(query), body)
        assert answer.status == 202, answer.body
        return answer.body.decode()

    def status(self, instance: str, **query: str) -> Any:
        return self.call("GET", f"{WEBHOOK}/instances/{instance}?" + urlencode(query)).json()

    def wait(self, instance: str, *wanted: str, seconds: float = 20) -> Any:
        """The status, once it is one of those wanted (by default: an ended one)."""
        states = wanted or ("Completed", "Failed", "Terminated")
        deadline = time.monotonic() + seconds
        while (status := self.status(instance)).get("runtimeStatus") not in states:
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def advance(self, seconds: float, **more: Any) -> datetime:
        answer = self.call("POST", "/admin/clock", {"advance_seconds": seconds, **more})
        assert answer.status == 200, answer.body
        return datetime.fromisoformat(answer.json()["now"])

    def settle(self) -> datetime:
        """Runs all that is due now."""
        return self.advance(0)

    def now(self) -> datetime:
        return datetime.fromisoformat(self.call("GET", "/admin/clock").json()["now"])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def log(self) -> str:
        return self._log.read_text()

    def tallied(self, name: str) -> list[Any]:
        """What the app's timer functions wrote down."""
        path = self.tally / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


Launch = Callable[..., HostProcess]


class Launcher:
    """Starts hosts and stops what still runs in the end. The same `state` means the same durable state."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._count = 0
        self._running: list[HostProcess] = []

    def __call__(
        self, app: str | Path, *flags: str, state: str = "state", env: dict[str, str] | None = None
    ) -> HostProcess:
        process, ready, log = self.spawn(app, *flags, state=state, env=env)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        host = HostProcess(process, ready, log, self.tally)
        self._running.append(host)
        return host

    @property
    def tally(self) -> Path:
        (self._base / "tally").mkdir(exist_ok=True)
        return self._base / "tally"

    def spawn(
        self, app: str | Path, *flags: str, state: str = "state", env: dict[str, str] | None = None
    ) -> tuple[subprocess.Popen[bytes], Path, Path]:
        self._count += 1
        ready, log = self._base / f"ready{self._count}.json", self._base / f"log{self._count}"
        command = [sys.executable, "-m", "localhost", str(APPS / app), "--state", str(self._base / state)]
        command += ["--ready-file", str(ready), *flags]
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root, "TALLY_DIR": str(self.tally), **(env or {})}
        with log.open("wb") as sink:
            process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
        return process, ready, log

    def stop_all(self) -> None:
        for host in self._running:
            host.stop()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.stop_all()


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """The durable app on a virtual clock, shared by a module's tests: each uses instance ids of its own."""
    launcher = Launcher(tmp_path_factory.mktemp("durable"))
    yield launcher("durable", "--virtual-clock", "--log-json")
    launcher.stop_all()
