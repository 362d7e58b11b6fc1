"""What a program costs: its time, and the processor and memory of it and the programs it starts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


class Failed(Exception):
    """A program that is measured did not end well; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Command:
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path | None = None
    """Where it runs."""


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    cpu_seconds: float
    """User and system time."""
    peak_rss_mb: float
    """Of the largest process; MB are 10^6 bytes."""


def run(command: Command, log: Path) -> Cost:
    """Runs to the end; what it says goes to `log`. Raises `Failed`.

    A small process of ours starts it: the system counts the starter's memory as the peak of what it starts.
    """
    starter = [sys.executable, "-S", __file__, str(log), *command.arguments]
    environment = {**os.environ, **command.environment}
    told = subprocess.run(starter, cwd=command.folder, env=environment, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        end = log.read_text(errors="replace")[-2000:] if log.exists() else told.stderr
        raise Failed(f"{' '.join(command.arguments)}: {end}")
    return Cost(**json.loads(told.stdout))


def _start(log: Path, arguments: Sequence[str]) -> int:
    began = time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    cost = Cost(round(seconds, 3), round(used.ru_utime + used.ru_stime, 3), round(used.ru_maxrss * 1024 / 1e6, 1))
    sys.stdout.write(json.dumps(asdict(cost)))
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


if __name__ == "__main__":
    sys.exit(_start(Path(sys.argv[1]), sys.argv[2:]))
