"""Content-defined cuts with secret parameters: the one place that knows the chunker."""

from collections.abc import Iterator

from pyfastcdc import FastCDC

MIN_BYTES = 256 << 10
AVERAGE_BYTES = 1 << 20
MAX_BYTES = 4 << 20


def cut(key: bytes, data: memoryview) -> Iterator[memoryview]:
    """`data` in pieces of 256 KiB to 4 MiB (the last may be shorter), cut where the content says so.

    The places depend on the key, so the lengths of pieces do not tell which known file they come from.
    """
    seed = int.from_bytes(key[:8]) >> 1
    chunker = FastCDC(AVERAGE_BYTES, min_size=MIN_BYTES, max_size=MAX_BYTES, seed=seed)
    return (data[piece.offset : piece.offset + piece.length] for piece in chunker.cut_buf(data))
