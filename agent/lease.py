"""Keeps a backup session's lease alive from a thread of its own, and tells the service how far the backup is."""

import threading
from collections.abc import Callable
from datetime import timedelta

from agent.transport import Unreachable
from shared.api.backups import SessionOpened
from shared.domain.errors import HortError

LONGEST_PAUSE = timedelta(minutes=1)


class SessionClosed(HortError):
    """The service takes nothing more for this session: its lease ran out, or somebody ended it."""


class Lease:
    """`renew` asks the service; `renewed` hears of every new lease. `stop` it before the session ends."""

    def __init__(
        self, opened: SessionOpened, renew: Callable[[], SessionOpened], renewed: Callable[[SessionOpened], None]
    ) -> None:
        self._pause = pause_between_renewals(opened)
        self._renew = renew
        self._renewed = renewed
        self._stopped = threading.Event()
        self._closed = ""
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A renewal on its way is not waited for: it is harmless, and the service may be away."""
        self._stopped.set()

    def must_run(self) -> None:
        """Raises `SessionClosed` when the service has said so."""
        if self._closed:
            raise SessionClosed(self._closed)

    def _run(self) -> None:
        while not self._stopped.wait(self._pause.total_seconds()):
            if not self._renew_once():
                return

    def _renew_once(self) -> bool:
        try:
            self._renewed(self._renew())
        except Unreachable:
            return True  # the lease may outlast the absence; the service decides, not we
        except HortError as no:
            self._closed = str(no)
            return False
        return True


def pause_between_renewals(opened: SessionOpened) -> timedelta:
    """A third of the lease, by the service's clock alone: ours may be wrong."""
    return min(LONGEST_PAUSE, (opened.lease_until - opened.opened_at) / 3)
