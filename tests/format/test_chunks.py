import os
import tracemalloc

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared.format import chunks
from shared.format.chunks import ChunkKind, chunk_id, open_chunk, seal_chunk
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys
from tests.format.damage import bits, flipped, torn

NONCE = bytes(range(12))
kinds = st.sampled_from(ChunkKind)


def sealed(keys: VaultKeys, kind: ChunkKind, plain: bytes) -> tuple[bytes, bytes]:
    name = chunk_id(keys, kind, plain)
    return name, seal_chunk(keys, kind, name, plain, NONCE)


@given(kind=kinds, plain=st.binary(max_size=2000))
def test_what_was_sealed_opens(keys: VaultKeys, kind: ChunkKind, plain: bytes) -> None:
    name, data = sealed(keys, kind, plain)
    assert open_chunk(keys, kind, name, data, len(plain)) == plain


@given(bit=bits, plain=st.binary(min_size=1, max_size=500))
def test_a_flipped_bit_is_damage(keys: VaultKeys, bit: int, plain: bytes) -> None:
    name, data = sealed(keys, ChunkKind.DATA, plain)
    with pytest.raises(Damaged):
        open_chunk(keys, ChunkKind.DATA, name, flipped(data, bit), len(plain))


def test_a_torn_chunk_is_damage(keys: VaultKeys) -> None:
    name, data = sealed(keys, ChunkKind.DATA, b"hello " * 100)
    for part in torn(data):
        with pytest.raises(Damaged):
            open_chunk(keys, ChunkKind.DATA, name, part, 600)


def test_a_chunk_opens_as_what_it_is_and_under_its_own_key_only(keys: VaultKeys, other_keys: VaultKeys) -> None:
    name, data = sealed(keys, ChunkKind.DATA, b"content")
    with pytest.raises(Damaged):
        open_chunk(keys, ChunkKind.ITEMS, name, data, 7)
    with pytest.raises(Damaged):
        open_chunk(other_keys, ChunkKind.DATA, name, data, 7)
    with pytest.raises(Damaged):
        open_chunk(keys, ChunkKind.DATA, bytes(32), data, 7)


def test_the_same_bytes_have_another_id_as_another_kind(keys: VaultKeys) -> None:
    """So no file's content can pass for a page of items."""
    assert len({chunk_id(keys, kind, b"same") for kind in ChunkKind}) == len(ChunkKind)


def test_what_does_not_shrink_is_kept_as_it_is(keys: VaultKeys) -> None:
    noise = os.urandom(10_000)
    _, data = sealed(keys, ChunkKind.DATA, noise)
    assert len(data) == len(noise) + chunks.OVERHEAD_BYTES


def forged(keys: VaultKeys, name: bytes, kept: bytes) -> bytes:
    """A chunk as a writer with the keys and bad intentions would seal it."""
    cipher = AESGCM(chunks.blake3.blake3(name, key=keys.chunk_encryption).digest())
    bound = b"hort v1 chunk" + keys.account.encode() + bytes((ChunkKind.DATA,)) + name
    return NONCE + cipher.encrypt(NONCE, kept, bound)


def test_a_bomb_is_refused_before_memory_is_taken(keys: VaultKeys) -> None:
    bomb = forged(keys, bytes(32), b"\x01" + zstandard.compress(bytes(200 << 20)))
    tracemalloc.start()
    for recorded in (1000, chunks.MAX_RAW_BYTES, 200 << 20):
        with pytest.raises(Damaged):
            open_chunk(keys, ChunkKind.DATA, bytes(32), bomb, recorded)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "kept", [b"", b"\x02abc", b"\x01abc", b"\x01", b"\x00abcd", b"\x01" + zstandard.compress(b"abc") + b"x"]
)
def test_a_chunk_that_holds_something_else_is_damage(keys: VaultKeys, kept: bytes) -> None:
    with pytest.raises(Damaged):
        open_chunk(keys, ChunkKind.DATA, bytes(32), forged(keys, bytes(32), kept), 3)


def test_a_wrong_byte_under_a_good_seal_is_found_by_the_id(keys: VaultKeys) -> None:
    name = chunk_id(keys, ChunkKind.DATA, b"abc")
    with pytest.raises(Damaged, match="not what its id says"):
        open_chunk(keys, ChunkKind.DATA, name, forged(keys, name, b"\x00abd"), 3)
