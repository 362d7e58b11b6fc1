"""The head of a snapshot: where its pages begin, and what people want to know of it; sealed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.errors import Malformed
from shared.domain.ids import DeviceId, SessionId
from shared.format import names, tables, wire
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys
from shared.format.names import IndexName
from shared.format.seal import Sealed, seal, unseal
from shared.format.tables import PageRow

MAX_SKIPPED = 1_000


@dataclass(frozen=True, slots=True)
class HeadStatistics:
    files: int
    directories: int
    logical_bytes: int
    new_bytes: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Head:
    """`started` and `ended` are the agent's clock: for show, never for a decision."""

    session: SessionId
    device: DeviceId
    host: str
    paths: tuple[bytes, ...]
    started: datetime
    ended: datetime
    statistics: HeadStatistics
    skipped: tuple[tuple[str, str], ...]
    """(path for people, reason), the first `MAX_SKIPPED`."""
    indexes: tuple[IndexName, ...]
    """The segments that locate every chunk of this snapshot."""
    depth: int
    """0: `pages` are pages of items. 1: they are tables of such rows."""
    pages: tuple[PageRow, ...]


def encode(keys: VaultKeys, head: Head, nonce: bytes) -> bytes:
    body = wire.pack(
        {
            "session": head.session,
            "device": head.device,
            "host": head.host,
            "paths": head.paths,
            "started": _milliseconds(head.started),
            "ended": _milliseconds(head.ended),
            "files": head.statistics.files,
            "directories": head.statistics.directories,
            "logical_bytes": head.statistics.logical_bytes,
            "new_bytes": head.statistics.new_bytes,
            "skipped_count": head.statistics.skipped,
            "skipped": head.skipped[:MAX_SKIPPED],
            "indexes": head.indexes,
            "depth": head.depth,
            "pages": head.pages,
        }
    )
    return seal(keys.metadata, Sealed.HEAD, keys.account, names.head(head.session), body, nonce)


def decode(keys: VaultKeys, session: SessionId, sealed: bytes) -> Head:
    """Raises `Damaged`. Fields that are not known are passed over: a later minor version may add some."""
    name = names.head(session)
    body = unseal(keys.metadata, Sealed.HEAD, keys.account, name, sealed)
    try:
        return _head(wire.unpack(body), session)
    except (ValueError, OverflowError, Malformed) as error:
        raise Damaged(name, str(error)) from None


def _head(value: wire.Plain, session: SessionId) -> Head:
    match value:
        case {
            "session": str(named), "device": str(device), "host": str(host), "paths": list(paths),
            "started": int(started), "ended": int(ended), "files": int(files), "directories": int(directories),
            "logical_bytes": int(logical_bytes), "new_bytes": int(new_bytes), "skipped_count": int(skipped_count),
            "skipped": list(skipped), "indexes": list(indexes), "depth": 0 | 1 as depth, "pages": pages,
        } if named == session:  # fmt: skip
            return Head(
                session=session,
                device=DeviceId.parse(device),
                host=host,
                paths=tuple(_path(path) for path in paths),
                started=_moment(started),
                ended=_moment(ended),
                statistics=HeadStatistics(files, directories, logical_bytes, new_bytes, skipped_count),
                skipped=tuple(_skipped(pair) for pair in skipped),
                indexes=tuple(_index(pair) for pair in indexes),
                depth=int(depth),
                pages=tables.parse(pages),
            )
        case _:
            raise ValueError("a head that lacks a field, or is another session's")


def _path(value: wire.Plain) -> bytes:
    match value:
        case bytes():
            return value
        case _:
            raise ValueError("a path that is no bytes")


def _skipped(value: wire.Plain) -> tuple[str, str]:
    match value:
        case [str(path), str(reason)]:
            return path, reason
        case _:
            raise ValueError("a skipped path that is none")


def _index(value: wire.Plain) -> IndexName:
    match value:
        case [str(session), int(number)] if number >= 0:
            return IndexName(SessionId.parse(session), number)
        case _:
            raise ValueError("the name of an index that is none")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
