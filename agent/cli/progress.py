"""Shows how far a run is: a bar on a terminal, a line now and then in a log, nothing with `--json`."""

import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from agent.cli.output import printable, size
from agent.meter import Meter, Reading

BAR_SECONDS = 0.2
LINE_SECONDS = 10.0


@contextmanager
def shown(meter: Meter, doing: str, moved: str, *, silent: bool) -> Generator[None]:
    """Shows the meter on standard error while the block runs; `moved` is what becomes of the vault's bytes: `sent`."""
    if silent:
        yield
    elif sys.stderr.isatty():
        with _bar(meter, doing):
            yield
    else:
        started = time.monotonic()
        with _every(LINE_SECONDS, lambda: _print_line(doing, moved, meter.read(), time.monotonic() - started)):
            yield


@contextmanager
def _bar(meter: Meter, doing: str) -> Generator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    bar = Progress(
        TextColumn("{task.description} {task.fields[entries]} entries"),
        BarColumn(bar_width=24),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[path]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task(doing, total=None, entries="0", path="")

    def draw() -> None:
        now = meter.read()
        path = printable(now.path.decode("utf-8", "surrogateescape"))[-40:]
        total = max(now.total_bytes, now.logical_bytes + 1) if now.total_bytes else None
        bar.update(task, completed=now.logical_bytes, total=total, entries=_entries(now), path=path, refresh=True)

    with bar, _every(BAR_SECONDS, draw):
        yield


@contextmanager
def _every(seconds: float, tick: Callable[[], None]) -> Generator[None]:
    """Calls `tick` from a thread of its own until the block ends."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            tick()

    thread = threading.Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def line(doing: str, moved: str, now: Reading, seconds: float) -> str:
    """One line of a log: files, bytes, sent or read, speed and, when the total is known, the time left."""
    speed = now.logical_bytes / seconds if seconds > 0 else 0.0
    parts = [f"{doing} {_entries(now)} entries", _amount(now), f"{moved} {size(now.sent_bytes)}", f"{size(speed)}/s"]
    if now.total_bytes > now.logical_bytes and speed > 0:
        parts.append(f"{(now.total_bytes - now.logical_bytes) / speed:.0f} s left")
    return ", ".join(parts)


def _print_line(doing: str, moved: str, now: Reading, seconds: float) -> None:
    print(line(doing, moved, now, seconds), file=sys.stderr, flush=True)


def _entries(now: Reading) -> str:
    return f"{now.entries:,}/{now.total_entries:,}" if now.total_entries else f"{now.entries:,}"


def _amount(now: Reading) -> str:
    done = size(now.logical_bytes)
    return f"{done} of {size(now.total_bytes)}" if now.total_bytes else done
