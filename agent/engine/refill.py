"""The data of files out of packs and onto the disk: window by window, pack by pack, on many threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Self

from agent.engine.fetch import Run, locate, plan, read_run
from agent.engine.landing import Landing, Piece
from agent.engine.outcome import Outcome
from agent.engine.snapshot import Snapshot
from shared.format.chunks import ChunkKind
from shared.format.content import Segment
from shared.format.errors import Damaged
from shared.format.indexes import Located

WINDOW_PIECES = 98_304
"""Planned together: some 600 bytes each. A chunk that two windows need is read twice."""


class Refill:
    """Collects pieces and brings them home a window at a time; `finish` after the last."""

    def __init__(self, snapshot: Snapshot, outcome: Outcome, threads: int) -> None:
        self._snapshot, self._outcome = snapshot, outcome
        self._pool = ThreadPoolExecutor(threads, "restore")
        self._wanted: dict[bytes, list[Piece]] = {}
        self._pieces = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for piece in chain.from_iterable(self._wanted.values()):
            piece.landing.break_off()

    def add(self, landing: Landing, segments: list[Segment]) -> None:
        for chunk, piece in _pieces(landing, segments):
            self._wanted.setdefault(chunk, []).append(piece)
            self._pieces += 1
            if self._pieces >= WINDOW_PIECES:
                self.finish()

    def finish(self) -> None:
        """Until every file added so far is whole, or reported."""
        for future in [self._pool.submit(self._run, run) for run in plan(self._located())]:
            future.result()
        self._wanted, self._pieces = {}, 0

    def _located(self) -> Iterator[Located]:
        for chunk, pieces in self._wanted.items():
            place = locate(self._snapshot.locations, chunk)
            if isinstance(place, Damaged):
                _hurt(pieces, place)
            else:
                yield place

    def _run(self, run: Run) -> None:
        for opened in read_run(self._snapshot.reader, self._snapshot.keys, run, ChunkKind.DATA):
            if isinstance(opened.plain, Damaged):
                _hurt(self._wanted[opened.id], opened.plain)
            else:
                _deliver(self._wanted[opened.id], opened.plain)
        self._outcome.read(str(run.pack), run.length_bytes)


def _pieces(landing: Landing, segments: list[Segment]) -> Iterator[tuple[bytes, Piece]]:
    at = 0
    for chunk, offset, length in segments:
        if chunk is not None:
            yield chunk, Piece(landing, at, offset, length)
        at += length


def _deliver(pieces: list[Piece], plain: bytes) -> None:
    view = memoryview(plain)
    for landing, at, offset, length in pieces:
        if offset + length > len(plain):
            landing.hurt("it asks for more than its chunk holds")
        else:
            landing.write(view[offset : offset + length], at)


def _hurt(pieces: list[Piece], damage: Damaged) -> None:
    for piece in pieces:
        piece.landing.hurt(str(damage))
