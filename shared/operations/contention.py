"""Optimistic writes: when somebody else was faster, read again and judge again."""

import random
import time
from collections.abc import Callable

from shared.storage.tables import Changed

ATTEMPTS = 12
_LONGEST_PAUSE_SECONDS = 0.5


def until_unchanged[T](attempt: Callable[[], T]) -> T:
    """Repeat `attempt` while it raises `Changed`; the last one's `Changed` is the caller's."""
    for n in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Changed:
            # Jitter only spreads writers over time: nothing depends on its quality.
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.01 * 2**n)))  # noqa: S311
    return attempt()
