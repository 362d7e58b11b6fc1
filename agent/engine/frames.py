"""Files that the agent keeps for itself, in frames that prove to be whole and its own.

length (4) | keyed BLAKE3 of the payload (16) | payload
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import blake3

_HEAD = struct.Struct(">I16s")
_MAX_BYTES = 1 << 30


def write_frame(file: BinaryIO, key: bytes, payload: bytes) -> None:
    file.write(_HEAD.pack(len(payload), _proof(key, payload)) + payload)


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
