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
    linked: set[tuple[int, int]] = set()
    for found in walk.entries(roots):
        if over.is_set():
            return
        entries += 1
        if stat.S_ISREG(found.stat.st_mode) and (found.stat.st_dev, found.stat.st_ino) not in linked:
            logical_bytes += found.stat.st_size
            if found.stat.st_nlink > 1:  # its other names add no bytes
                linked.add((found.stat.st_dev, found.stat.st_ino))
    progress.expect(entries, logical_bytes)
