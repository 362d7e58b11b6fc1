"""msgpack between bytes and plain values: the one place that knows the library, which has no types."""

from collections.abc import Iterator
from typing import Any

import msgpack

type Plain = bool | int | float | str | bytes | list[Plain] | dict[str, Plain] | None

_library: Any = msgpack


def pack(value: object) -> bytes:
    return _library.packb(value)


def unpack(data: bytes) -> Plain:
    """The one value in `data`. Raises `ValueError`."""
    values = list(unpack_all(data))
    if len(values) != 1:
        raise ValueError(f"{len(values)} values where one is expected")
    return values[0]


def unpack_all(data: bytes) -> Iterator[Plain]:
    """The values that lie one behind the other in `data`, all of it. Raises `ValueError`."""
    reader = _library.Unpacker(max_buffer_size=max(len(data), 1))
    reader.feed(data)
    end = 0
    try:
        for value in reader:
            yield value
            end = reader.tell()
    except (_library.UnpackException, ValueError, RecursionError) as error:
        raise ValueError(f"not msgpack: {error or type(error).__name__}") from None
    if end != len(data):
        raise ValueError(f"torn at byte {end}")
