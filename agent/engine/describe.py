"""What the system says of an entry, as an item; and the stamp by which the next run knows it again."""

import grp
import os
import pwd
import stat
import struct
from functools import lru_cache

from agent.engine.places import FOLDER
from agent.engine.walk import Found
from shared.format.items import Item, ItemKind

_STAMP = struct.Struct(">IQqqQII")
KINDS = {
    stat.S_IFREG: ItemKind.FILE,
    stat.S_IFDIR: ItemKind.DIRECTORY,
    stat.S_IFLNK: ItemKind.SYMLINK,
    stat.S_IFIFO: ItemKind.FIFO,
    stat.S_IFCHR: ItemKind.CHARACTER_DEVICE,
    stat.S_IFBLK: ItemKind.BLOCK_DEVICE,
    stat.S_IFSOCK: ItemKind.SOCKET,
}
_HOST_ONLY = frozenset({"security.selinux"})
"""Labels that mean nothing on another host, and are refused there."""

TICK_NS = 100_000_000
COARSE_TICK_NS = 2_000_000_000


def stamp(status: os.stat_result) -> bytes:
    """Equal while nothing that a snapshot records has changed: every change of content or attributes moves ctime."""
    s = status
    return _STAMP.pack(s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_uid, s.st_gid)


def settled(status: os.stat_result, now_ns: int) -> bool:
    """Whether a later change would surely show in the stamp: not if the last one is within one tick of the file
    system's clock. Whole seconds betray a coarse one (FAT: two seconds)."""
    tick = TICK_NS if status.st_ctime_ns % 1_000_000_000 else COARSE_TICK_NS
    return now_ns - status.st_ctime_ns > tick


def describe(found: Found, status: os.stat_result) -> Item:
    """The item without content. Raises `OSError` when a link or the attributes of a folder cannot be read."""
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    return Item(
        path=found.path,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        user=_user(status.st_uid),
        group=_group(status.st_gid),
        mtime_ns=status.st_mtime_ns,
        size=0,
        xattrs=_folder_xattrs(found) if kind is ItemKind.DIRECTORY else (),
        target=os.readlink(found.name, dir_fd=found.folder) if kind is ItemKind.SYMLINK else b"",
        device=status.st_rdev if kind in (ItemKind.CHARACTER_DEVICE, ItemKind.BLOCK_DEVICE) else 0,
    )


def xattrs(handle: int) -> tuple[tuple[bytes, bytes], ...]:
    """The extended attributes of an open file or folder, sorted; none where the file system has no such thing."""
    try:
        names = sorted(name for name in os.listxattr(handle) if name not in _HOST_ONLY)
    except OSError:
        return ()
    return tuple((os.fsencode(name), os.getxattr(handle, name)) for name in names)


def _folder_xattrs(found: Found) -> tuple[tuple[bytes, bytes], ...]:
    try:
        handle = os.open(found.name, FOLDER, dir_fd=found.folder)
    except PermissionError:
        return ()  # The walk reports it: such a folder cannot be listed either.
    try:
        return xattrs(handle)
    finally:
        os.close(handle)


@lru_cache(maxsize=4096)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=4096)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
