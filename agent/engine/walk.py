"""The entries below some roots, depth first and sorted, each with what the system says of it; no link is followed."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agent.engine.globs import Rules
from agent.engine.places import FOLDER, open_folder
from shared.format.items import order

_KEPT_OPEN = 200
"""Folders above the current one that stay open; deeper trees reopen them on the way back."""

type Skip = Callable[[bytes, str], None]


class Found(NamedTuple):
    """An entry: `name` in the folder whose handle is `folder`, open until the next entry is asked for."""

    path: bytes
    name: bytes
    folder: int
    stat: os.stat_result


@dataclass(slots=True)
class _Level:
    path: bytes
    handle: int | None
    device: int
    inode: int
    names: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Walk:
    """`leave_out` are folders of the agent's own, by (device, inode)."""

    rules: Rules
    one_file_system: bool
    skip: Skip
    leave_out: frozenset[tuple[int, int]] = frozenset()

    def entries(self, roots: Sequence[bytes]) -> Iterator[Found]:
        """Of all `roots`, which are as `real_roots` gives them."""
        for root in roots:
            try:
                yield from self._root(root)
            except OSError as error:
                self.skip(root, reason(error))

    def _root(self, root: bytes) -> Iterator[Found]:
        parent, _, name = root.rpartition(b"/")
        folder = os.open(b"/" + parent, FOLDER)
        try:
            found = Found(root, name or b".", folder, os.stat(name or b".", dir_fd=folder, follow_symlinks=False))
            yield found
            if stat.S_ISDIR(found.stat.st_mode):
                yield from self._below(found)
        finally:
            os.close(folder)

    def _below(self, root: Found) -> Iterator[Found]:
        levels: list[_Level] = []
        try:
            self._descend(levels, root)
            while levels:
                found = self._next(levels)
                if found is None:
                    self._ascend(levels)
                    continue
                yield found
                if stat.S_ISDIR(found.stat.st_mode) and self._enters(found, root.stat.st_dev):
                    self._descend(levels, found)
        finally:
            for level in levels:
                _close(level)

    def _next(self, levels: list[_Level]) -> Found | None:
        """The next entry of the innermost folder that is taken."""
        level = levels[-1]
        assert level.handle is not None, "the innermost folder is open"
        for name in level.names:
            path = level.path + b"/" + name if level.path else name
            try:
                status = os.stat(name, dir_fd=level.handle, follow_symlinks=False)
            except OSError as error:
                self.skip(path, reason(error))
                continue
            if not self.rules.leaves_out(path, stat.S_ISDIR(status.st_mode)) and not self._own(status):
                return Found(path, name, level.handle, status)
        return None

    def _own(self, status: os.stat_result) -> bool:
        return (status.st_dev, status.st_ino) in self.leave_out

    def _enters(self, found: Found, device: int) -> bool:
        return not self.one_file_system or found.stat.st_dev == device

    def _descend(self, levels: list[_Level], found: Found) -> None:
        try:
            handle, names = _list(found)
        except OSError as error:
            self.skip(found.path, reason(error))
            return
        levels.append(_Level(found.path, handle, found.stat.st_dev, found.stat.st_ino, iter(names)))
        if len(levels) > _KEPT_OPEN:
            _close(levels[-1 - _KEPT_OPEN])

    def _ascend(self, levels: list[_Level]) -> None:
        """Leaves the innermost folder, and opens the one above again where it had to be closed."""
        _close(levels.pop())
        while levels and levels[-1].handle is None:
            try:
                levels[-1].handle = _reopen(levels[-1])
            except OSError as error:
                self.skip(levels.pop().path, reason(error))


def real_roots(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """Where the given paths really are, without their leading slash, sorted; those inside another are dropped.

    The last name of a path is taken as it is: a link that somebody names is stored as a link.
    """
    roots: list[bytes] = []
    for root in sorted((_real(path) for path in paths), key=order):
        if not any(root == outer or outer == b"" or root.startswith(outer + b"/") for outer in roots):
            roots.append(root)
    return tuple(roots)


def reason(error: OSError) -> str:
    return error.strerror or str(error)


def _real(path: Path) -> bytes:
    whole = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow the last name
    parent, name = os.path.split(whole)
    return os.fsencode(os.path.join(os.path.realpath(parent), name)).strip(b"/")  # noqa: PTH118


def _list(found: Found) -> tuple[int, list[bytes]]:
    handle = os.open(found.name, FOLDER, dir_fd=found.folder)
    try:
        return handle, sorted(os.fsencode(name) for name in os.listdir(handle))  # noqa: PTH208 - of a handle
    except OSError:
        os.close(handle)
        raise


def _reopen(level: _Level) -> int:
    root = os.open(b"/", FOLDER)
    try:
        handle = open_folder(root, level.path.split(b"/"))
    finally:
        os.close(root)
    status = os.fstat(handle)
    if (status.st_dev, status.st_ino) != (level.device, level.inode):
        os.close(handle)
        raise OSError(0, "the folder was moved while it was read")
    return handle


def _close(level: _Level) -> None:
    if level.handle is not None:
        os.close(level.handle)
        level.handle = None
