"""The entries of a snapshot: everything about a file but its bytes.

Items lie in pages, depth first: a folder stands before what is in it, and its names are sorted as bytes.
"""

from enum import IntEnum
from typing import NamedTuple

import blake3

from shared.format import content, wire
from shared.format.errors import Damaged
from shared.format.keys import VaultKeys

CONTENT_HASH_BYTES = 16
MIN_PAGE_ITEMS = 256
MAX_PAGE_ITEMS = 4_096
MAX_PAGE_BYTES = 1 << 20

_CUT_BITS = (1 << 10) - 1
_MAX_ID = (1 << 32) - 1
_MAX_SIZE = (1 << 63) - 1
_MAX_DEVICE = (1 << 64) - 1


class ItemKind(IntEnum):
    FILE = 1
    DIRECTORY = 2
    SYMLINK = 3
    HARD_LINK = 4
    """Another name of the file at `target`, which stands before it."""
    FIFO = 5
    CHARACTER_DEVICE = 6
    BLOCK_DEVICE = 7
    SOCKET = 8
    """Recorded, never made again: it means nothing without the process that listens."""


class Item(NamedTuple):
    """One entry; the fields stand on the wire in this order.

    `path` has no leading slash and is bytes, because names need not be text; the root folder is `b""`.
    """

    path: bytes
    kind: ItemKind
    mode: int
    """Permission bits, with set-user-id, set-group-id and sticky: twelve bits."""
    uid: int
    gid: int
    user: str
    group: str
    mtime_ns: int
    size: int
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    target: bytes = b""
    """Of a symbolic link, or the path of the file that a hard link is another name of."""
    device: int = 0
    """`st_rdev` of a device."""
    depth: int = 0
    """0: `content` are the file's rows. 1: they refer to `list` chunks that hold them."""
    content: bytes = b""
    content_hash: bytes = b""
    """Keyed BLAKE3 (16 bytes) of a small file's bytes, whose chunk also holds other files."""


def order(path: bytes) -> bytes:
    """Sorts paths depth first: `a`, `a/b`, `a-b`. Names never hold a NUL."""
    return path.replace(b"/", b"\0")


def encode(item: Item) -> bytes:
    return wire.pack(item)


def content_hash(keys: VaultKeys, data: bytes) -> bytes:
    return blake3.blake3(data, key=keys.contents).digest(CONTENT_HASH_BYTES)


def ends_page(keys: VaultKeys, path: bytes, items: int, size_bytes: int) -> bool:
    """Whether the page that holds so much ends behind `path`: an entry that comes or goes renews one page, not all."""
    if items >= MAX_PAGE_ITEMS or size_bytes >= MAX_PAGE_BYTES:
        return True
    return items >= MIN_PAGE_ITEMS and not int.from_bytes(blake3.blake3(path, key=keys.paging).digest(2)) & _CUT_BITS


def decode_page(page: bytes, name: str) -> list[Item]:
    """The items of a page. Raises `Damaged` in the page's `name`."""
    try:
        return [_item(value) for value in wire.unpack_all(page)]
    except ValueError as error:
        raise Damaged(name, str(error)) from None


def _item(value: wire.Plain) -> Item:
    match value:
        case [
            bytes(path), int(kind), int(mode), int(uid), int(gid), str(user), str(group), int(mtime_ns), int(size),
            list(xattrs), bytes(target), int(device), int(depth), bytes(rows), bytes(digest),
        ] if depth in (0, 1) and not len(rows) % content.ROW_BYTES:  # fmt: skip
            _must_fit(uid=(uid, _MAX_ID), gid=(gid, _MAX_ID), size=(size, _MAX_SIZE), device=(device, _MAX_DEVICE))
            _must_hold_no_nul(user.encode(), group.encode(), target)
            return Item(
                path, ItemKind(kind), mode & 0o7777, uid, gid, user, group, mtime_ns, size,
                tuple(_xattr(pair) for pair in xattrs), target, device, depth, rows, digest,
            )  # fmt: skip
        case _:
            raise ValueError("an item that is none")


def _xattr(pair: wire.Plain) -> tuple[bytes, bytes]:
    match pair:
        case [bytes(name), bytes(value)]:
            _must_hold_no_nul(name)
            return name, value
        case _:
            raise ValueError("an extended attribute that is none")


def _must_fit(**numbers: tuple[int, int]) -> None:
    """From 0 to what the system calls take: beyond it they fail in ways that are no `OSError`."""
    for name, (number, most) in numbers.items():
        if not 0 <= number <= most:
            raise ValueError(f"an item whose {name} is {number}")


def _must_hold_no_nul(*texts: bytes) -> None:
    if any(b"\0" in text for text in texts):
        raise ValueError("an item with a NUL where no system has one")
