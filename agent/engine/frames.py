"""Files that the agent keeps for itself, in frames that prove to be whole and its own.

length (4) | keyed BLAKE3 of the payload (16) | payload
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import blake3

from shared.domain.errors import HortError

_HEAD = struct.Struct(">I16s")
_MAX_BYTES = 1 << 30


class CacheFailed(HortError):
    """The agent's own folder cannot be written to."""


def write_frame(file: BinaryIO, key: bytes, payload: bytes) -> None:
    """Hands a frame to the system, whole. Raises `CacheFailed`: never an `OSError`, which is trouble with a source."""
    try:
        file.write(_HEAD.pack(len(payload), _proof(key, payload)) + payload)
        file.flush()
    except OSError as error:
        raise CacheFailed(f"the agent's cache cannot be written: {error}") from None


def read_frames(file: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The payloads up to the first frame that is torn or altered: what lies behind it is not to be trusted."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, proof = _HEAD.unpack(head)
        payload = file.read(length) if length <= _MAX_BYTES else b""
        if len(payload) != length or _proof(key, payload) != proof:
            return
        yield payload


def _proof(key: bytes, payload: bytes) -> bytes:
    return blake3.blake3(payload, key=key).digest(16)
