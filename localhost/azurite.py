"""The pinned Azurite: installed once by npm, started on free ports, kept alive, stopped so that it saves its data.

Azurite loses up to the last seconds when it is killed with -9: it is stopped with SIGTERM, and only one that hangs
is killed. Never use it to prove that storage survives a crash.
"""

import argparse
import contextlib
import fcntl
import json
import logging
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from localhost.signals import StopSignal

log = logging.getLogger("localhost.azurite")
HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
ACCOUNT = "devstoreaccount1"
# Azurite's published development key: every copy of Azurite has it, it opens nothing else.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SERVICES = ("blob", "queue", "table")
READY_TIMEOUT_SECONDS = 60
START_ATTEMPTS = 3
STOP_TIMEOUT_SECONDS = 20
RESTART_PAUSE_SECONDS = 0.5


class AzuriteError(Exception):
    """Azurite cannot be installed or does not answer."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where each service listens."""

    blob: int
    queue: int
    table: int

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{getattr(self, service)}/{ACCOUNT}"


class Azurite:
    """A supervised Azurite: one that dies by itself is started again on the same ports, with the same data."""

    def __init__(self, data: Path, lock: int, extra: Sequence[str]) -> None:
        """`lock` is the descriptor of the claim on `data`: Azurite inherits it, and so holds it as long as it lives."""
        self.endpoints = Endpoints(*_free_ports(len(SERVICES)))
        self._command = _command(data, self.endpoints, extra)
        self._lock = lock
        self._stopping = threading.Event()
        self._process = self._spawn()
        self._supervisor = threading.Thread(target=self._supervise, name="azurite", daemon=True)

    @classmethod
    @contextlib.contextmanager
    def start(cls, state_dir: Path, extra: Sequence[str] = ()) -> Generator["Azurite"]:
        """Runs Azurite on free ports with its data below `state_dir`; ready when it answers HTTP.

        `extra` are more options for Azurite itself, such as `--oauth basic` with a certificate. Raises AzuriteError.
        """
        install()
        data = state_dir / "azurite"
        data.mkdir(parents=True, exist_ok=True)
        with _claimed(data) as lock:
            azurite = cls._started(data, lock, extra)
            try:
                yield azurite
            finally:
                azurite.stop()

    @classmethod
    def _started(cls, data: Path, lock: int, extra: Sequence[str]) -> "Azurite":
        for attempt in range(1, START_ATTEMPTS + 1):
            azurite = cls(data, lock, extra)
            try:
                azurite.wait_ready()
            except BaseException as error:
                azurite.stop()
                if attempt == START_ATTEMPTS or not isinstance(error, AzuriteError):
                    raise
                continue  # Another process may have taken a port between the choice and the start.
            azurite._supervisor.start()
            return azurite
        raise AssertionError("the last attempt returned or raised")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def connection_string(self) -> str:
        services = [f"{name.title()}Endpoint={self.endpoints.url(name)};" for name in SERVICES]
        account = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        return account + "".join(services)

    def wait_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Returns when every service answers an HTTP request. Raises AzuriteError."""
        deadline = time.monotonic() + timeout_seconds
        for service in SERVICES:
            while not _answers(self.endpoints.url(service)):
                if self._process.poll() is not None and not self._supervisor.is_alive():
                    raise AzuriteError(f"Azurite ended with code {self._process.returncode}")
                if time.monotonic() > deadline:
                    raise AzuriteError(f"Azurite's {service} service did not answer in {timeout_seconds} s")
                time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, so that it writes its tables; SIGKILL only if it hangs."""
        self._stopping.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("Azurite does not stop: it is killed, its last writes may be lost")
            self._process.kill()
            self._process.wait()

    def _supervise(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE_SECONDS):
            if self._process.poll() is not None:
                log.warning("Azurite ended with code %s: starting it again", self._process.returncode)
                self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        """In a session of its own, so that Ctrl-C stops the host first; it follows when its standard input ends."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=quiet,
            stderr=quiet,
            pass_fds=[self._lock],
            start_new_session=True,
        )


def pinned_version() -> str:
    return str(json.loads((HERE / "package.json").read_text())["dependencies"]["azurite"])


def installed_version() -> str | None:
    try:
        return str(json.loads((MODULES / "azurite" / "package.json").read_text())["version"])
    except (OSError, ValueError):
        return None


def install() -> None:
    """Installs the pinned version with `npm ci`, unless it is there. Raises AzuriteError."""
    if installed_version() == pinned_version():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise AzuriteError("npm is needed to install Azurite: install Node.js")
    command = [npm, "ci", "--prefix", str(HERE), "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or installed_version() != pinned_version():
        raise AzuriteError(f"npm ci failed:\n{done.stdout}{done.stderr}")


def _command(data: Path, endpoints: Endpoints, extra: Sequence[str]) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise AzuriteError("node is needed to run Azurite: install Node.js")
    script = str(MODULES / "azurite" / "dist" / "src" / "azurite.js")
    ports = [part for name in SERVICES for part in (f"--{name}Port", str(getattr(endpoints, name)))]
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location", str(data)]
    return [node, "--require", str(HERE / "follow_parent.cjs"), script, *ports, *quiet, *extra]


@contextlib.contextmanager
def _claimed(data: Path) -> Generator[int]:
    """Holds the data for one Azurite. One whose parent was killed may still be saving: it is waited for."""
    with (data / "azurite.lock").open("w") as lock:
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise AzuriteError(f"another Azurite is using {data}") from error
                time.sleep(0.05)
        yield lock.fileno()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError:
        return True  # it refuses what is not signed, and so it serves
    except OSError:
        return False


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m localhost.azurite", description=__doc__)
    parser.add_argument("--install", action="store_true", help="install the pinned version and stop")
    parser.add_argument("--state", type=Path, default=Path("azurite-state"), help="where the data lie")
    options = parser.parse_args(arguments)
    if options.install:
        install()
        return 0
    stop = StopSignal()
    with Azurite.start(options.state) as azurite:
        sys.stdout.write(azurite.connection_string + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
