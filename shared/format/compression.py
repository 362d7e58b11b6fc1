"""zstd where it helps: one byte tells how the bytes behind it are kept, 0 as they are, 1 zstd (RFC 8878)."""

import threading

import zstandard

LEVEL = 3

_RAW = b"\x00"
_ZSTD = b"\x01"


class _Zstd(threading.local):
    """zstd contexts must not be shared between threads, and are dear to make."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def shrink(data: bytes | memoryview) -> bytes:
    """`data` behind the byte that says how it is kept; raw when zstd does not make it smaller."""
    smaller = _zstd.compressor.compress(data)
    return _ZSTD + smaller if len(smaller) < len(data) else b"".join((_RAW, data))


def grow(data: bytes, raw_bytes: int) -> bytes:
    """What was shrunk, exactly `raw_bytes` long: a bomb is refused before memory is taken. Raises `ValueError`."""
    body = memoryview(data)[1:]
    if data[:1] == _RAW:
        plain = bytes(body)
    elif data[:1] == _ZSTD:
        plain = _decompress(body, raw_bytes)
    else:
        raise ValueError(f"unknown compression {data[:1]!r}")
    if len(plain) != raw_bytes:
        raise ValueError(f"{len(plain)} bytes where {raw_bytes} are recorded")
    return plain


def _decompress(body: memoryview, raw_bytes: int) -> bytes:
    try:
        told = zstandard.frame_content_size(body)
        if told != raw_bytes:
            raise ValueError(f"the frame holds {told} bytes where {raw_bytes} are recorded")
        return _zstd.decompressor.decompress(body, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"zstd: {error}") from None
