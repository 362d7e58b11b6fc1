"""Opening what lies below a folder, step by step: no symbolic link is followed, and no path is too long."""

import os
from collections import OrderedDict
from collections.abc import Sequence

from shared.domain.errors import HortError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT_OPEN = 128


class UnsafePath(HortError):
    """A path that would lead out of the folder it is meant for."""


def parts(path: bytes) -> list[bytes]:
    """The names in a relative path. Raises `UnsafePath` for `..`, an absolute path, an empty name or a NUL."""
    names = path.split(b"/")
    if any(name in (b"", b".", b"..") or b"\0" in name for name in names):
        raise UnsafePath("its name leads out of the target")
    return names


def open_folder(root: int, names: Sequence[bytes]) -> int:
    """A new handle of the folder `names` below `root`. Raises `OSError`, also where a link stands in the way."""
    handle = os.dup(root)
    for name in names:
        try:
            inner = os.open(name, FOLDER, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle


class Folders:
    """Handles of the folders used last, for one thread: neighbours in a snapshot mostly share their parent."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: OrderedDict[tuple[bytes, ...], int] = OrderedDict()

    def handle(self, names: Sequence[bytes]) -> int:
        """Of the folder `names` below the root; stays open until many others were asked for, so use it at once."""
        key = tuple(names)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        handle = self._open[key] = self._enter(key)
        if len(self._open) > _KEPT_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return handle

    def forget(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def _enter(self, names: tuple[bytes, ...]) -> int:
        """From the parent when that is open, else from the root."""
        if names and names[:-1] in self._open:
            return os.open(names[-1], FOLDER, dir_fd=self._open[names[:-1]])
        return open_folder(self._root, names)
