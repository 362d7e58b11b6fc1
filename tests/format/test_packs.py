import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import SessionId
from shared.format import packs
from shared.format.chunks import OVERHEAD_BYTES, ChunkKind
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys
from shared.format.packs import Pack
from shared.format.padding import padme
from shared.format.records import ChunkRecord
from tests.format.damage import bits, flipped, torn

SESSION = SessionId("01kdvdna000000000000000001")


def pack_of(keys: VaultKeys, sizes: list[int]) -> Pack:
    sealed = [bytes((n % 256,)) * size for n, size in enumerate(sizes)]
    offsets = itertools.accumulate(sizes, initial=0)
    rows = [
        ChunkRecord(bytes((n,)) * 32, ChunkKind.DATA, at, size, size)
        for n, (at, size) in enumerate(zip(offsets, sizes, strict=False))
    ]
    return packs.build(keys, SESSION, rows, sealed, bytes)


chunk_sizes = st.lists(st.integers(OVERHEAD_BYTES, 300), min_size=1, max_size=20)


@given(sizes=chunk_sizes)
def test_a_pack_lists_its_chunks(keys: VaultKeys, sizes: list[int]) -> None:
    pack = pack_of(keys, sizes)
    body = b"".join(pack.parts)
    assert packs.read_directory(keys, pack.name, body) == tuple(pack.records)
    assert len(body) == pack.size_bytes
    assert packs.sha256_hex([body]) == pack.name.pack_id
    for record in pack.records:
        assert body[record.offset : record.end] == bytes((record.id[0],)) * record.length


@given(sizes=chunk_sizes)
def test_the_size_of_a_pack_is_one_of_few(keys: VaultKeys, sizes: list[int]) -> None:
    size = pack_of(keys, sizes).size_bytes
    assert padme(size) == size


@given(bit=bits)
def test_a_flipped_bit_in_directory_or_footer_is_damage(keys: VaultKeys, bit: int) -> None:
    pack = pack_of(keys, [100, 200])
    body = b"".join(pack.parts)
    sealed_bytes = len(pack.parts[-1]) + len(pack.parts[-2])
    hurt = body[:-sealed_bytes] + flipped(body[-sealed_bytes:], bit)
    with pytest.raises(Damaged):
        packs.read_directory(keys, pack.name, hurt)


def test_a_torn_pack_is_damage(keys: VaultKeys) -> None:
    pack = pack_of(keys, [100, 200])
    for body in torn(b"".join(pack.parts)):
        with pytest.raises(Damaged):
            packs.read_directory(keys, pack.name, body)


def test_a_directory_that_leads_out_of_the_pack_is_damage(keys: VaultKeys) -> None:
    lying = ChunkRecord(bytes(32), ChunkKind.DATA, 1 << 31, 100, 100)
    pack = packs.build(keys, SESSION, [lying], [bytes(100)], bytes)
    with pytest.raises(Damaged, match="out of the pack"):
        packs.read_directory(keys, pack.name, b"".join(pack.parts))


@given(st.integers(0, 1 << 45))
def test_padding_is_small_and_never_shrinks(size: int) -> None:
    padded = padme(size)
    assert size <= padded <= size * 1.12 + 1
    if size >= 1 << 20:
        assert padded <= size * 1.04
    assert padme(padded) == padded
