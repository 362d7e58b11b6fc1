"""Chunks out of packs: neighbours in one read, each opened and checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.engine.locations import Locations
from agent.vault import Reader, VaultObjectMissing
from shared.format.chunks import ChunkKind, open_chunk
from shared.format.errors import Damaged
from shared.format.indexes import Located
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.records import ChunkRecord

GAP_BYTES = 64 << 10
"""What lies between two wanted chunks is read too when it is no more: a second request costs more."""

RUN_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """Chunks of one pack that are read together, by offset."""

    pack: PackName
    records: tuple[ChunkRecord, ...]

    @property
    def start(self) -> int:
        return self.records[0].offset

    @property
    def length_bytes(self) -> int:
        return self.records[-1].end - self.start


@dataclass(frozen=True, slots=True)
class Opened:
    """A chunk that was asked for: its plaintext, or why there is none."""

    id: bytes
    plain: bytes | Damaged


def plan(located: Iterable[Located]) -> list[Run]:
    """Runs that together read every chunk once; those of a pack stand together."""
    runs: list[list[Located]] = []
    for place in sorted(located, key=lambda place: (place.pack, place.record.offset)):
        if runs and _near(runs[-1], place):
            runs[-1].append(place)
        else:
            runs.append([place])
    return [Run(run[0].pack, tuple(place.record for place in run)) for run in runs]


def read_run(reader: Reader, keys: VaultKeys, run: Run, kind: ChunkKind) -> Iterator[Opened]:
    """Each chunk of the run, opened. A pack that is missing or short damages its chunks, nothing else."""
    try:
        data = memoryview(reader.pack_range(run.pack, run.start, run.length_bytes))
    except VaultObjectMissing as missing:
        for record in run.records:
            yield Opened(record.id, Damaged(missing.name, "it is not in the vault"))
        return
    for record in run.records:
        sealed = data[record.offset - run.start : record.end - run.start]
        yield Opened(record.id, _open(keys, kind, run.pack, record, sealed))


def read_all(
    chunks: Iterable[bytes], reader: Reader, keys: VaultKeys, locations: Locations, kind: ChunkKind
) -> dict[bytes, bytes | Damaged]:
    """The plaintexts of a few chunks, by id."""
    located: list[Located] = []
    opened: dict[bytes, bytes | Damaged] = {}
    for chunk in chunks:
        place = locate(locations, chunk)
        if isinstance(place, Damaged):
            opened[chunk] = place
        else:
            located.append(place)
    for run in plan(located):
        opened.update((each.id, each.plain) for each in read_run(reader, keys, run, kind))
    return opened


def locate(locations: Locations, chunk: bytes) -> Located | Damaged:
    """Where a chunk lies, or why nobody knows."""
    try:
        place = locations.at(chunk)
    except Damaged as damaged:
        return damaged
    return place or Damaged(f"chunk {chunk.hex()[:16]}", "no index knows it")


def _near(run: list[Located], place: Located) -> bool:
    first, last, record = run[0].record, run[-1].record, place.record
    close = record.offset - last.end <= GAP_BYTES and record.end - first.offset <= RUN_BYTES
    return close and run[0].pack == place.pack


def _open(keys: VaultKeys, kind: ChunkKind, pack: PackName, record: ChunkRecord, sealed: memoryview) -> bytes | Damaged:
    try:
        return open_chunk(keys, kind, record.id, sealed, record.raw_length)
    except Damaged as damaged:
        return Damaged(f"d/{pack}", str(damaged))
