"""Waiting for SIGTERM or SIGINT so that none is missed, whichever thread the kernel hands it to."""

import signal
import socket
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """From its creation on, in the main thread, these signals no longer end the process: they end `wait`.

    A handler that sets an event would do so in the main thread only, which may sleep on a lock that a signal given
    to another thread does not wake. The wake-up descriptor is written to by whichever thread has the signal.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno())
        for number in STOP_SIGNALS:
            signal.signal(number, _noted)

    def wait(self) -> None:
        self._reader.recv(1)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor has it already."""
