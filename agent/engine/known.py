"""Which chunks need not be sent, and where those lie that a snapshot needs."""

import threading
from collections.abc import Iterable
from typing import NamedTuple

from agent.engine.journal import BegunPack
from agent.engine.locations import Locations
from shared.format.names import IndexName
from shared.format.refs import PackRef


class Needs(NamedTuple):
    """What must stay in the vault so that some chunks can be read."""

    packs: frozenset[PackRef]
    segments: frozenset[IndexName]


class Known:
    """Chunks of the vault and of this session. Safe for many threads."""

    def __init__(self, before: Locations) -> None:
        self._before = before
        self._here: dict[bytes, PackRef] = {}
        self._claimed: set[bytes] = set()
        self._lock = threading.Lock()

    def __contains__(self, chunk: bytes) -> bool:
        """Stored, or about to be stored by this run."""
        return chunk in self._before or chunk in self._here or chunk in self._claimed

    def has_all(self, chunks: Iterable[bytes]) -> bool:
        return all(chunk in self for chunk in chunks)

    def claim(self, chunk: bytes) -> bool:
        """True for the one caller that must store this chunk; false when it is stored, or about to be."""
        if chunk in self:
            return False
        with self._lock:
            mine = chunk not in self._claimed
            self._claimed.add(chunk)
        return mine

    def place(self, pack: BegunPack) -> None:
        """The pack is in the vault: where its chunks lie is known from now on."""
        self._here.update(dict.fromkeys((record.id for record in pack.records), pack.ref))

    def needs(self, chunks: Iterable[bytes]) -> Needs:
        """Every chunk must be known, and every pack placed."""
        packs: set[PackRef] = set()
        segments: set[IndexName] = set()
        for chunk in chunks:
            if (here := self._here.get(chunk)) is not None:
                packs.add(here)
                continue
            segment, pack = self._before.needs(chunk)
            segments.add(segment)
            packs.add(pack)
        return Needs(frozenset(packs), frozenset(segments))
