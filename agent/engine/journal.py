"""What a run has begun: enough to go on with the same session after kill -9, and to send no finished pack twice.

A frame a step. A pack is written down before it is uploaded, so a pack that is there is always known here; one
that is written down but not there costs nothing. Frames are not forced to the disk: after a power cut the last
packs are sent again, and a kill loses nothing that was written.
"""

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

from agent.engine.frames import read_frames, write_frame
from shared.domain.commits import Statistics
from shared.domain.ids import SessionId
from shared.format import names, wire
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.packs import Pack
from shared.format.records import ROW, ChunkRecord, parse_row
from shared.format.refs import PackRef

_MEMBER = struct.Struct(">16s32sII")


class Member(NamedTuple):
    """A small file in the chunk it shares with others."""

    digest: bytes
    chunk: bytes
    offset: int
    length: int


class BegunPack(NamedTuple):
    ref: PackRef
    records: tuple[ChunkRecord, ...]
    members: tuple[Member, ...]


class MetaObject(NamedTuple):
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Closing:
    """The objects that close a session, in the order in which they are written, and what the commit tells."""

    objects: tuple[MetaObject, ...]
    statistics: Statistics
    backup_set: str = ""

    def refs_sha256(self, session: SessionId) -> str:
        return hashlib.sha256(dict(self.objects)[names.refs(session)]).hexdigest()


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What an earlier run left open."""

    session: SessionId
    packs: tuple[BegunPack, ...]
    closing: Closing | None


class Journal:
    """The journal of one session that is under way. Whoever calls from several threads keeps the calls apart."""

    def __init__(self, path: Path, keys: VaultKeys, session: SessionId, adopted: Sequence[BegunPack] = ()) -> None:
        self._key = keys.local
        fresh = path.with_suffix(".new")
        self._file = os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")
        self._add(["session", session])
        for pack in adopted:
            self.begin(pack)
        # The new journal before the old one goes: a crash here leaves the one or the other, whole.
        fresh.replace(path)

    def begin(self, pack: BegunPack) -> None:
        """Before the pack is uploaded."""
        rows = b"".join(record.row() for record in pack.records)
        members = b"".join(_MEMBER.pack(*member) for member in pack.members)
        self._add(["pack", str(pack.ref.name), pack.ref.size_bytes, rows, members])

    def close_session(self, closing: Closing) -> None:
        """Before the first of the closing objects is written: from here on a rerun writes the same bytes."""
        self._add(["closing", list(closing.objects), astuple(closing.statistics), closing.backup_set])
        os.fsync(self._file.fileno())

    def close(self) -> None:
        with suppress(OSError):  # what could not be written was told when it was tried
            self._file.close()

    def _add(self, value: list[object]) -> None:
        write_frame(self._file, self._key, wire.pack(value))


def begun(pack: Pack, members: Sequence[Member]) -> BegunPack:
    return BegunPack(PackRef(pack.name, pack.size_bytes), tuple(pack.records), tuple(members))


def read(path: Path, keys: VaultKeys) -> Interrupted | None:
    """What the journal says up to its first damaged frame; None when there is nothing to go on with."""
    try:
        with path.open("rb") as file:
            frames = [wire.unpack(frame) for frame in read_frames(file, keys.local)]
    except FileNotFoundError:
        return None
    match frames:
        case [["session", str(session)], *rest]:
            closing = next(_closings(rest), None)
            return Interrupted(SessionId.parse(session), tuple(_packs(rest)), closing)
        case _:
            return None


def _packs(frames: Sequence[wire.Plain]) -> Iterator[BegunPack]:
    for frame in frames:
        match frame:
            case ["pack", str(name), int(size), bytes(rows), bytes(members)]:
                records = tuple(parse_row(row) for row in ROW.iter_unpack(rows))
                small = tuple(Member(*row) for row in _MEMBER.iter_unpack(members))
                yield BegunPack(PackRef(PackName.parse(name), size), records, small)
            case _:
                continue


def _closings(frames: Sequence[wire.Plain]) -> Iterator[Closing]:
    for frame in frames:
        match frame:
            case [
                "closing",
                list(objects),
                [int(a), int(b), int(c), int(d), int(e), int(f), float(seconds)],
                str(name),
            ]:
                yield Closing(tuple(_objects(objects)), Statistics(a, b, c, d, e, f, seconds), name)
            case _:
                continue


def _objects(values: list[wire.Plain]) -> Iterator[MetaObject]:
    for value in values:
        match value:
            case [str(name), bytes(body)]:
                yield MetaObject(name, body)
            case _:
                raise ValueError("a closing object that is none")
