"""Measures the local Functions host: `python -m bench.host` writes `bench/results/host.json`.

One host in its own process, SQLite on disk with `synchronous=FULL`, and one client process, as in daily use.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import urllib3

ROOT = Path(__file__).resolve().parents[1]
APPS = ROOT / "tests" / "localhost" / "apps"
RESULTS = ROOT / "bench" / "results" / "host.json"
WEBHOOK = "/runtime/webhooks/durabletask"
RUNS, CLIENTS = 3, 8
ORCHESTRATIONS, WIDTH, REQUESTS, BODY_BYTES = 300, 1000, 1000, 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """The median of `runs` runs."""

    case: str
    value: float
    unit: str
    runs: int


class Client:
    """Calls one host from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=CLIENTS)

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        reply = self._pool.request(method, self._url + path, body=body, timeout=120)
        if reply.status >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.data[:200]!r}")
        return reply.data

    def ended(self, instance: str) -> bool:
        return json.loads(self.call("GET", f"{WEBHOOK}/instances/{instance}"))["runtimeStatus"] == "Completed"

    def count_ended(self, prefix: str) -> int:
        query = f"{WEBHOOK}/instances?instanceIdPrefix={prefix}&runtimeStatus=Completed&top=100000&showInput=false"
        return len(json.loads(self.call("GET", query)))


@contextmanager
def running(app: str) -> Generator[Client]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "bench") as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "localhost", str(APPS / app), "--state", folder, "--ready-file", str(ready)]
        process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise RuntimeError("the host did not start")
                time.sleep(0.01)
            yield Client(json.loads(ready.read_text())["url"])
        finally:
            process.terminate()
            process.wait()


def three_activities(client: Client, run: int) -> float:
    """Orchestrations of three activities in a row, from the first start to the last end, a second."""
    prefix = f"run{run}-"

    def start(n: int) -> None:
        client.call("POST", f"{WEBHOOK}/orchestrators/three/{prefix}{n}", b"1")

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(start, range(ORCHESTRATIONS)))
    while client.count_ended(prefix) < ORCHESTRATIONS:
        time.sleep(0.02)
    return ORCHESTRATIONS / (time.perf_counter() - began)


def fan_out(client: Client, run: int) -> float:
    """Seconds for one orchestration that waits for 1,000 activities at once."""
    began = time.perf_counter()
    client.call("POST", f"{WEBHOOK}/orchestrators/fan/fan{run}", str(WIDTH).encode())
    while not client.ended(f"fan{run}"):
        time.sleep(0.01)
    return time.perf_counter() - began


def one_after_the_other(client: Client, run: int) -> float:
    """Milliseconds from a start to the end of a three-activity orchestration on an idle host."""
    began = time.perf_counter()
    client.call("POST", "/api/run/three", str(run).encode())
    return (time.perf_counter() - began) * 1000


def requests(client: Client, _run: int) -> float:
    """Calls of a function that says hello, a second, from 8 clients."""
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(partial(client.call, "GET"), ["/api/hello"] * REQUESTS))
    return REQUESTS / (time.perf_counter() - began)


def upload(client: Client, _run: int) -> float:
    """MB/s of one request body of 64 MiB into a function."""
    body = bytes(BODY_BYTES)
    began = time.perf_counter()
    client.call("POST", "/api/size", body)
    return BODY_BYTES / 1e6 / (time.perf_counter() - began)


Case = tuple[str, str, str, Callable[[Client, int], float]]
CASES: Sequence[Case] = (
    ("durable", "three-activity orchestrations", "per second", three_activities),
    ("durable", "1,000-way fan-out", "seconds", fan_out),
    ("durable", "one three-activity orchestration, idle host", "milliseconds", one_after_the_other),
    ("web", "trivial HTTP function, 8 clients", "per second", requests),
    ("web", "request body of 64 MiB", "MB/s", upload),
)


def measure(case: Case) -> Result:
    app, name, unit, run = case
    with running(app) as client:
        run(client, 0)  # warm
        values = [run(client, n) for n in range(1, RUNS + 1)]
    return Result(name, round(statistics.median(values), 2), unit, RUNS)


def main() -> int:
    results = [measure(case) for case in CASES]
    for result in results:
        sys.stdout.write(f"{result.case}: {result.value} {result.unit}\n")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
