"""Counts what a first backup will come to while it runs already: without that nobody can say how long it takes."""

import stat
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from agent.engine.globs import Rules
from agent.engine.orders import BackupOrder
from agent.engine.walk import Walk, real_roots
from agent.meter import Meter


@contextmanager
def counted(order: BackupOrder, meter: Meter, *, silent: bool) -> Generator[None]:
    """Only when somebody watches; later backups know from the last one, and the count stops when it hears of that."""
    over = threading.Event()
    thread = threading.Thread(target=_count, args=(order, meter, over), name="count", daemon=True)
    if sys.stderr.isatty() and not silent:
        thread.start()
    try:
        yield
    finally:
        over.set()


def _count(order: BackupOrder, meter: Meter, over: threading.Event) -> None:
    walk = Walk(Rules.of(order.include, order.exclude), order.one_file_system, _pass_over)
    entries = logical_bytes = 0
    for found in walk.entries(real_roots(order.paths)):
        entries += 1
        if stat.S_ISREG(found.stat.st_mode):
            logical_bytes += found.stat.st_size
        if over.is_set() or meter.read().total_entries:
            return
    meter.expect(entries, logical_bytes)


def _pass_over(path: bytes, reason: str) -> None:
    """The backup itself reports what cannot be read."""
