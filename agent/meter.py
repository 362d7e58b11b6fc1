"""Counts how far a run is, for whoever asks: the display, and the lease that tells the service."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """A moment's counts; a total of 0 is not known."""

    entries: int = 0
    total_entries: int = 0
    logical_bytes: int = 0
    total_bytes: int = 0
    sent_bytes: int = 0
    path: bytes = b""


class Meter:
    """The engine's `Progress`. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries = self._total_entries = self._bytes = self._total_bytes = self._sent = 0
        self._path = b""

    def expect(self, entries: int, logical_bytes: int) -> None:
        with self._lock:
            self._total_entries, self._total_bytes = entries, logical_bytes

    def advance(self, entries: int, logical_bytes: int, path: bytes) -> None:
        with self._lock:
            self._entries += entries
            self._bytes += logical_bytes
            self._path = path

    def sent(self, sent_bytes: int) -> None:
        with self._lock:
            self._sent += sent_bytes

    def read(self) -> Reading:
        with self._lock:
            return Reading(self._entries, self._total_entries, self._bytes, self._total_bytes, self._sent, self._path)
