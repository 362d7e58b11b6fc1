"""Bytes as hostile storage would hand them out."""

from collections.abc import Iterator

from hypothesis import strategies as st


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over."""
    at, shift = divmod(bit % (len(data) * 8), 8)
    return data[:at] + bytes((data[at] ^ 1 << shift,)) + data[at + 1 :]


def torn(data: bytes) -> Iterator[bytes]:
    """`data` cut short at each of some places, and with a byte too many."""
    step = max(1, len(data) // 50)
    yield from (data[:end] for end in range(0, len(data), step))
    yield data + b"\0"


bits = st.integers(min_value=0, max_value=1 << 30)
