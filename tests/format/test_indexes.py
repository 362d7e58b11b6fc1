import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import SessionId
from shared.format import indexes
from shared.format.chunks import OVERHEAD_BYTES, ChunkKind
from shared.format.errors import Damaged
from shared.format.indexes import Located
from shared.format.keys import VaultKeys
from shared.format.names import IndexName, PackName
from shared.format.records import ChunkRecord
from shared.format.refs import PackRef
from shared.format.seal import Sealed, seal
from tests.format.damage import bits, flipped, torn

SESSION = SessionId("01kdvdna000000000000000001")
NAME = IndexName(SESSION, 3)

type Packs = list[tuple[PackRef, list[ChunkRecord]]]


def packs_of(counts: list[int]) -> Packs:
    made: Packs = []
    for n, count in enumerate(counts):
        ref = PackRef(PackName(SESSION, f"{n:064x}"), 10_000)
        rows = [ChunkRecord(bytes((255 - m, n)) * 16, ChunkKind.DATA, m * 50, 50, 60) for m in range(count)]
        made.append((ref, rows))
    return made


@given(counts=st.lists(st.integers(0, 8), max_size=6))
def test_every_chunk_is_found_where_it_lies(keys: VaultKeys, counts: list[int]) -> None:
    packs = packs_of(counts)
    segment = indexes.decode(keys, NAME, indexes.encode(keys, NAME, packs, bytes(12)))
    assert set(segment.located()) == {Located(ref.name, row) for ref, rows in packs for row in rows}
    assert list(segment.ids()) == sorted(segment.ids())
    assert len(segment) == sum(counts)


@given(bit=bits)
def test_a_flipped_bit_is_damage(keys: VaultKeys, bit: int) -> None:
    sealed = indexes.encode(keys, NAME, packs_of([3, 2]), bytes(12))
    with pytest.raises(Damaged):
        indexes.decode(keys, NAME, flipped(sealed, bit))


def test_a_torn_segment_is_damage(keys: VaultKeys) -> None:
    for sealed in torn(indexes.encode(keys, NAME, packs_of([3, 2]), bytes(12))):
        with pytest.raises(Damaged):
            indexes.decode(keys, NAME, sealed)


def test_a_segment_under_another_name_is_damage(keys: VaultKeys) -> None:
    """Nobody can hand out an old segment in place of a new one."""
    sealed = indexes.encode(keys, NAME, packs_of([1]), bytes(12))
    with pytest.raises(Damaged):
        indexes.decode(keys, IndexName(SESSION, 4), sealed)


@pytest.mark.parametrize("body", [b"", b"abc", struct.pack(">II", 1, 0), struct.pack(">II", 2**32 - 1, 2**32 - 1)])
def test_counts_that_cannot_be_are_damage(keys: VaultKeys, body: bytes) -> None:
    with pytest.raises(Damaged):
        indexes.decode(keys, NAME, seal(keys.index, Sealed.INDEX, keys.account, str(NAME), body, bytes(12)))


@pytest.mark.parametrize(
    "row",
    [
        ChunkRecord(bytes(32), ChunkKind.DATA, 9_990, 50, 60),
        ChunkRecord(bytes(32), ChunkKind.DATA, 0, OVERHEAD_BYTES - 1, 60),
        ChunkRecord(bytes(32), 77, 0, 50, 60),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_row_that_leads_nowhere_is_damage_when_it_is_used(keys: VaultKeys, row: ChunkRecord) -> None:
    [(ref, _)] = packs_of([0])
    segment = indexes.decode(keys, NAME, indexes.encode(keys, NAME, [(ref, [row])], bytes(12)))
    with pytest.raises(Damaged):
        segment.at(0)


def test_segments_hold_whole_packs_and_a_bounded_number_of_rows() -> None:
    parts = list(indexes.split(packs_of([4, 4, 4, 9, 1]), rows=8))
    assert [[len(rows) for _, rows in part] for part in parts] == [[4, 4], [4], [9], [1]]
