"""The process was asked to end: whoever waits to try again stops waiting."""

import threading

from shared.domain.errors import HortError

_asked = threading.Event()


class Ending(HortError):
    """The run ends, and this was not tried again."""


def ask() -> None:
    """For the signal handler."""
    _asked.set()


def wait(seconds: float) -> None:
    """Sleeps. Raises `Ending` as soon as the process is asked to end."""
    if _asked.wait(seconds):
        raise Ending("the run was asked to end")
