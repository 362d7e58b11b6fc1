"""What the last snapshot needs of each chunk, for the next run's renewal; losing it costs one renewal."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.engine.frames import read_frames, write_frame

_CREDIT = struct.Struct(">q")
_ROW = struct.Struct(">32sQ")


@dataclass(frozen=True, slots=True)
class Usage:
    """`credit_bytes` may be spent on renewal; `used` are bytes of plaintext by chunk id."""

    credit_bytes: int = 0
    used: Mapping[bytes, int] = field(default_factory=dict[bytes, int])


def write(path: Path, key: bytes, usage: Usage) -> None:
    """Raises `CacheFailed`."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        rows = b"".join(_ROW.pack(chunk, used) for chunk, used in usage.used.items())
        write_frame(file, key, _CREDIT.pack(usage.credit_bytes) + rows)
    fresh.replace(path)


def read(path: Path, key: bytes) -> Usage:
    """What was written last; nothing when it is lost or damaged."""
    try:
        with path.open("rb") as file:
            frame = next(read_frames(file, key), b"")
    except FileNotFoundError:
        frame = b""
    if len(frame) < _CREDIT.size or (len(frame) - _CREDIT.size) % _ROW.size:
        return Usage()
    (credit,) = _CREDIT.unpack_from(frame)
    rows: dict[bytes, int] = dict(_ROW.iter_unpack(frame[_CREDIT.size :]))
    return Usage(credit, rows)
