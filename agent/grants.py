"""The leave to use the account's containers: renewed once for all threads when one of them finds that it is over."""

import threading
from collections.abc import Callable

from shared.api.backups import Grant


class Grants:
    """`renew` asks the service for a new grant, and raises what the service says."""

    def __init__(self, first: Grant, renew: Callable[[], Grant]) -> None:
        self._current = first
        self._renew = renew
        self._lock = threading.Lock()

    @property
    def current(self) -> Grant:
        return self._current

    def replace(self, grant: Grant) -> None:
        self._current = grant

    def renewed(self, stale: Grant) -> Grant:
        """A grant newer than `stale`."""
        with self._lock:
            if self._current is stale:
                self._current = self._renew()
            return self._current
