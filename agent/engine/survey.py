"""How much there is to do, found out beside a first backup: only then does nobody remember."""

import stat
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from agent.engine.orders import Progress
from agent.engine.walk import Walk


@contextmanager
def survey(walk: Walk, roots: Sequence[bytes], progress: Progress) -> Generator[None]:
    """Counts on a thread of its own and tells `progress` when it is through; ends with the block at the latest."""
    over = threading.Event()
    thread = threading.Thread(target=_count, args=(walk, roots, progress, over), name="survey")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _count(walk: Walk, roots: Sequence[bytes], progress: Progress, over: threading.Event) -> None:
    entries = logical_bytes = 0
    for found in walk.entries(roots):
        if over.is_set():
            return
        entries += 1
        logical_bytes += found.stat.st_size if stat.S_ISREG(found.stat.st_mode) else 0
    progress.expect(entries, logical_bytes)
