"""A chunk: a piece of plaintext with a name that only key-holders can compute, sealed under a key of its own."""

from enum import IntEnum

import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.format.compression import grow, shrink
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys

ID_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = NONCE_BYTES + 1 + TAG_BYTES
MAX_RAW_BYTES = 16 << 20
"""No chunk is longer: what a reader may be made to hold in memory."""


class ChunkKind(IntEnum):
    """What a chunk holds. It is part of the chunk's id, so no file's content can pass for a page of items."""

    DATA = 1
    ITEMS = 2
    LIST = 3
    TABLE = 4


def chunk_id(keys: VaultKeys, kind: ChunkKind, plain: bytes | memoryview) -> bytes:
    """Keyed BLAKE3 (32 bytes) of the kind and the plaintext."""
    return blake3.blake3(bytes((kind,)), key=keys.chunk_ids).update(plain).digest()


def seal_chunk(keys: VaultKeys, kind: ChunkKind, name: bytes, plain: bytes | memoryview, nonce: bytes) -> bytes:
    """nonce (12) | AES-256-GCM(how it is kept (1) | body). `name` is its id, `nonce` is 12 random bytes.

    The nonce is never derived: the same chunk may compress differently another day, and no nonce may meet two texts.
    """
    return nonce + _cipher(keys, name).encrypt(nonce, shrink(plain), _bound(keys, kind, name))


def open_chunk(keys: VaultKeys, kind: ChunkKind, name: bytes, sealed: bytes | memoryview, raw_bytes: int) -> bytes:
    """The plaintext, whose id was checked. Raises `Damaged` and never returns a wrong byte."""
    if raw_bytes > MAX_RAW_BYTES:
        raise Damaged(_shown(name), f"a chunk of {raw_bytes} bytes")
    if len(sealed) < OVERHEAD_BYTES:
        raise Damaged(_shown(name), "torn")
    try:
        kept = _cipher(keys, name).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(keys, kind, name))
        plain = grow(kept, raw_bytes)
    except InvalidTag:
        raise Damaged(_shown(name), "it does not open") from None
    except ValueError as error:
        raise Damaged(_shown(name), str(error)) from None
    if chunk_id(keys, kind, plain) != name:
        raise Damaged(_shown(name), "its content is not what its id says")
    return plain


def _cipher(keys: VaultKeys, name: bytes) -> AESGCM:
    """A key a chunk: no two plaintexts ever meet under one key, so random nonces are safe without counting."""
    return AESGCM(blake3.blake3(name, key=keys.chunk_encryption).digest())


def _bound(keys: VaultKeys, kind: ChunkKind, name: bytes) -> bytes:
    return b"hort v1 chunk" + keys.account.encode() + bytes((kind,)) + name


def _shown(name: bytes) -> str:
    return f"chunk {name.hex()[:16]}"
