"""Small files are known again by their content, however many there are."""

from pathlib import Path

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from agent.engine.known import Known
from agent.engine.locations import Locations
from agent.engine.recall import Recall
from shared.format import content

CHUNK, GONE = b"c" * 32, b"g" * 32
crowded = st.binary(min_size=2, max_size=2).map(lambda low: bytes(6) + low + b"h" * 8)
"""Digests whose places collide."""
digests = crowded | st.binary(min_size=15, max_size=15).map(lambda rest: rest + b"x")


def _recall() -> Recall:
    known = Known(Locations([]))
    assert known.claim(CHUNK)
    return Recall(known, Path("/nowhere/files"), bytes(32))


@given(st.lists(st.tuples(digests, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=2_000))
def test_the_last_place_of_each_content_is_remembered(seen: list[tuple[bytes, int, int]]) -> None:
    recall = _recall()
    for digest, offset, length in seen:
        recall.keep(digest, CHUNK, offset, length)
    for digest, place in {digest: place for digest, *place in seen}.items():
        assert recall.row(digest) == content.encode_row(CHUNK, *place)
    assert recall.row(b"never seen befor") is None


def test_ten_thousand_contents_are_remembered_and_others_are_not_made_up() -> None:
    recall, keys = _recall(), [blake3(n.to_bytes(8)).digest(16) for n in range(20_000)]
    for n, digest in enumerate(keys[::2]):
        recall.keep(digest, CHUNK, n, 1)
    assert all(recall.row(digest) for digest in keys[::2])
    assert not any(recall.row(digest) for digest in keys[1::2])


def test_a_content_whose_chunk_is_gone_is_not_remembered() -> None:
    recall = _recall()
    recall.keep(b"d" * 16, GONE, 0, 1)
    assert recall.row(b"d" * 16) is None
