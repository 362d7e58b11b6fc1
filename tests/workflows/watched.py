"""First backups on the local host, told from outside over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3

from shared.contracts.seeding import SeedDevice, instance_of
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.durable import wire
from shared.durable.events import Event

ROOT = Path(__file__).parents[2]
APP = Path(__file__).parent / "app"
INSTANCES = "/runtime/webhooks/durabletask/instances"
DAY = 24 * 3600
START_SECONDS = 30
HTTP = urllib3.PoolManager(retries=False)


@dataclass(frozen=True, slots=True)
class Host:
    """A local host with a virtual clock."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        reply = HTTP.request(method, self.url + path, body=json.dumps(body).encode(), timeout=60)
        assert reply.status < 300, (path, reply.status, reply.data)
        return json.loads(reply.data) if reply.data else None

    def now(self) -> datetime:
        return datetime.fromisoformat(self.ask("GET", "/admin/clock")["now"])

    def live(self, days: float) -> None:
        self.ask("POST", "/admin/clock", {"advance_seconds": days * DAY})


@contextmanager
def running_host(folder: Path) -> Generator[Host]:
    """The app in a host process of its own: Microsoft's worker library allows one app a process."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "localhost", str(APP), "--virtual-clock", "--state", str(folder / "state")]
    with (folder / "log").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([*command, "--ready-file", str(ready)], env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "the host does not start"
            time.sleep(0.01)
        yield Host(json.loads(ready.read_text())["url"])
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@dataclass(frozen=True, slots=True)
class Watched:
    """One device's watch."""

    host: Host
    device: DeviceId

    @property
    def instance(self) -> str:
        return instance_of(self.device)

    def start(self) -> None:
        now = self.host.now()
        watch = SeedDevice(AccountId.make(now, bytes(10)), self.device, heard_at=now)
        self.host.ask("POST", "/api/start", wire.encode(watch, SeedDevice))
        self.live(0)

    def tell[T](self, event: Event[T], payload: T) -> None:
        self.host.ask("POST", f"/api/tell/{self.instance}/{event.name}", event.encode(payload))
        self.live(0)

    def find(self, snapshot: SessionId) -> None:
        self.host.ask("POST", f"/api/find/{self.device}", snapshot)

    def live(self, days: float) -> None:
        """Lives through that time, and until all that is due then is done."""
        self.host.live(days)

    def status(self) -> Any:
        return self.host.ask("GET", f"{INSTANCES}/{self.instance}")

    def history_length(self) -> int:
        return len(self.host.ask("GET", f"{INSTANCES}/{self.instance}?showHistory=true")["historyEvents"])
