"""Giving entries back their owners, modes, extended attributes and times, in an order that undoes nothing."""

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from agent.engine.walk import reason
from shared.format.items import Item, ItemKind


def apply(item: Item, handle: int) -> Iterator[str]:
    """Gives an open file or folder its attributes; yields what the system would not have, and goes on."""
    for what, give in _steps(item, handle):
        try:
            give()
        except OSError as error:
            yield f"{what}: {reason(error)}"


def _steps(item: Item, handle: int) -> Iterator[tuple[str, Callable[[], None]]]:
    # Owner before mode, for chown clears set-user-id; both before the attributes that hold capabilities; times last.
    if os.geteuid() == 0 and _owned_by(handle) != owner(item):  # a needless chown costs a write
        yield "owner", lambda: os.fchown(handle, *owner(item))
    yield "mode", lambda: os.fchmod(handle, _mode(item, handle))
    for name, value in item.xattrs:
        yield f"extended attribute {os.fsdecode(name)}", partial(os.setxattr, handle, name, value)
    yield "times", lambda: os.utime(handle, ns=(item.mtime_ns, item.mtime_ns))


def _mode(item: Item, handle: int) -> int:
    """Without set-user-id and set-group-id on a file whose owner could not be given back: they would lend another's
    rights, root's even."""
    lends = item.mode & (stat.S_ISUID | stat.S_ISGID)
    if not lends or item.kind is not ItemKind.FILE:
        return item.mode
    return item.mode if _owned_by(handle) == owner(item) else item.mode & ~lends


def _owned_by(handle: int) -> tuple[int, int]:
    status = os.fstat(handle)
    return status.st_uid, status.st_gid


def apply_beside(item: Item, name: bytes, folder: int) -> None:
    """The same for what cannot be opened: a symbolic link, a pipe, a device. Links have no mode of their own."""
    if os.geteuid() == 0:
        os.chown(name, *owner(item), dir_fd=folder, follow_symlinks=False)
    if item.kind is not ItemKind.SYMLINK:
        os.chmod(name, item.mode, dir_fd=folder)
    os.utime(name, ns=(item.mtime_ns, item.mtime_ns), dir_fd=folder, follow_symlinks=False)


def owner(item: Item) -> tuple[int, int]:
    """User and group as numbers of this system."""
    return _uid(item.user, item.uid), _gid(item.group, item.gid)


@lru_cache(maxsize=4096)
def _uid(user: str, uid: int) -> int:
    """By name where this system knows the name (G5: other hardware), else by number."""
    try:
        return pwd.getpwnam(user).pw_uid if user else uid
    except KeyError:
        return uid


@lru_cache(maxsize=4096)
def _gid(group: str, gid: int) -> int:
    try:
        return grp.getgrnam(group).gr_gid if group else gid
    except KeyError:
        return gid
