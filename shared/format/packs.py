"""A pack: many sealed chunks in one immutable blob that shows nothing but its size.

sealed chunks | random bytes | sealed directory | sealed footer, which tells the directory's length

The directory lists the chunks, so that an index that was lost can be rebuilt from the packs alone.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.ids import SessionId
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.padding import padme
from shared.format.records import ROW, ChunkRecord, parse_row

FOOTER_BYTES = 12 + 4 + 16
MAX_BYTES = 1 << 30

_SEAL_BYTES = 12 + 16
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Pack:
    """A finished pack: `parts`, one behind the other, are its bytes."""

    name: PackName
    parts: Sequence[bytes]
    size_bytes: int
    records: Sequence[ChunkRecord]


def build(
    keys: VaultKeys,
    session: SessionId,
    records: Sequence[ChunkRecord],
    chunks: Sequence[bytes],
    entropy: Callable[[int], bytes],
) -> Pack:
    """A pack of `chunks`, which lie one behind the other as `records` say; `entropy(n)` gives n random bytes."""
    directory = b"".join(record.row() for record in records)
    body_bytes = sum(map(len, chunks))
    bare_bytes = body_bytes + len(directory) + _SEAL_BYTES + FOOTER_BYTES
    sealed_directory = _seal(keys, session, b"directory", directory, entropy(12))
    footer = _seal(keys, session, b"footer", _LENGTH.pack(len(sealed_directory)), entropy(12))
    parts = (*chunks, entropy(padme(bare_bytes) - bare_bytes), sealed_directory, footer)
    return Pack(PackName(session, sha256_hex(parts)), parts, padme(bare_bytes), records)


def sha256_hex(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def read_directory(keys: VaultKeys, pack: PackName, body: bytes) -> tuple[ChunkRecord, ...]:
    """The records of a whole pack. Raises `Damaged`."""
    try:
        length = _directory_length(keys, pack, body)
        sealed = body[len(body) - FOOTER_BYTES - length : len(body) - FOOTER_BYTES]
        rows = _open(keys, pack, b"directory", sealed)
        return _parse_directory(rows, len(body) - FOOTER_BYTES - length)
    except InvalidTag:
        raise Damaged(f"d/{pack}", "its directory does not open") from None
    except ValueError as error:
        raise Damaged(f"d/{pack}", str(error)) from None


def _directory_length(keys: VaultKeys, pack: PackName, body: bytes) -> int:
    if len(body) < FOOTER_BYTES + _SEAL_BYTES:
        raise ValueError("torn")
    (length,) = _LENGTH.unpack(_open(keys, pack, b"footer", body[-FOOTER_BYTES:]))
    if length < _SEAL_BYTES or length > len(body) - FOOTER_BYTES:
        raise ValueError("the footer tells a length that cannot be")
    return length


def _parse_directory(rows: bytes, room_bytes: int) -> tuple[ChunkRecord, ...]:
    if len(rows) % ROW.size:
        raise ValueError("the directory is torn")
    records = tuple(parse_row(row) for row in ROW.iter_unpack(rows))
    if any(record.end > room_bytes for record in records):
        raise ValueError("the directory leads out of the pack")
    return records


def _seal(keys: VaultKeys, session: SessionId, part: bytes, plain: bytes, nonce: bytes) -> bytes:
    return nonce + AESGCM(keys.index).encrypt(nonce, plain, _bound(keys, session, part))


def _open(keys: VaultKeys, pack: PackName, part: bytes, sealed: bytes) -> bytes:
    return AESGCM(keys.index).decrypt(sealed[:12], sealed[12:], _bound(keys, pack.session, part))


def _bound(keys: VaultKeys, session: SessionId, part: bytes) -> bytes:
    return b"hort v1 pack " + part + keys.account.encode() + session.encode()
