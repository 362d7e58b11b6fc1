"""The folder that a snapshot is restored to: entries are made below it and nowhere else."""

import contextlib
import errno
import itertools
import os
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.engine.places import FOLDER, Folders, parts
from shared.format.items import Item, ItemKind

_MADE_ON_THE_WAY = 0o755
_PRIVATE = 0o700
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Spot(NamedTuple):
    """A place below the target: the names on the way, and the name there."""

    parents: tuple[bytes, ...]
    name: bytes


class _Mine(threading.local):
    folders: Folders | None = None


class Ground:
    """Makes entries without following a link. `overwrite`: what exists is replaced, in one step."""

    def __init__(self, target: Path, overwrite: bool, look_only: bool = False) -> None:
        """`look_only`: the target is there, and nothing will be made."""
        if not look_only:
            with contextlib.suppress(FileExistsError):  # a file there is told by the next line
                target.mkdir(parents=True, exist_ok=True)
        self._root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._overwrite = overwrite
        self._mine = _Mine()
        self._all: list[Folders] = []
        self._token = os.urandom(6).hex().encode()
        self._numbers = itertools.count()

    def close(self) -> None:
        """After all threads are done."""
        for folders in self._all:
            folders.forget()
        os.close(self._root)

    def folder(self, parents: tuple[bytes, ...]) -> int:
        """A handle for use at once; folders on the way are made where they are missing."""
        folders = self._folders()
        try:
            return folders.handle(parents)
        except FileNotFoundError:
            self._make_way(folders, parents)
            return folders.handle(parents)

    def make_folder(self, path: bytes) -> bool:
        """True when it was made, false when it was there. A link or a file in its place is replaced, or an error."""
        if not path:
            return False
        spot = spot_of(path)
        folder = self.folder(spot.parents)
        if _is_folder(spot.name, folder):
            return False
        if self._overwrite:
            _unlink_if_there(spot.name, folder)
        os.mkdir(spot.name, _PRIVATE, dir_fd=folder)
        return True

    def make_way(self, path: bytes) -> bool:
        """A folder that others are made in: true when it was made. What is in its place is never replaced."""
        spot = spot_of(path)
        try:
            os.mkdir(spot.name, _PRIVATE, dir_fd=self.folder(spot.parents))
        except FileExistsError:
            return False
        return True

    def status(self, path: bytes) -> os.stat_result | None:
        """What is at `path` now, no link followed. Raises `OSError`, also when a link stands in the way."""
        if not path:
            return os.fstat(self._root)
        spot = spot_of(path)
        try:
            return os.stat(spot.name, dir_fd=self._folders().handle(spot.parents), follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_file(self, path: bytes) -> int:
        """For reading what was made."""
        spot = spot_of(path)
        return os.open(spot.name, _READ, dir_fd=self._folders().handle(spot.parents))

    def read_link(self, path: bytes) -> bytes:
        spot = spot_of(path)
        return os.readlink(spot.name, dir_fd=self._folders().handle(spot.parents))

    def open_folder(self, path: bytes) -> int:
        """A new handle, for giving it its attributes."""
        if not path:
            return os.dup(self._root)
        spot = spot_of(path)
        return os.open(spot.name, FOLDER, dir_fd=self.folder(spot.parents))

    def begin_file(self, spot: Spot) -> tuple[int, bytes]:
        """A new, empty, private file, and the name it has until `settle`. Raises `FileExistsError`."""
        name = self._passing_name() if self._overwrite else spot.name
        return os.open(name, _CREATE, 0o600, dir_fd=self.folder(spot.parents)), name

    def reopen_file(self, spot: Spot, name: bytes) -> int:
        return os.open(name, _OPEN, dir_fd=self.folder(spot.parents))

    def settle(self, spot: Spot, name: bytes) -> None:
        """Gives a finished file its own name; what had it is replaced in one step."""
        if name != spot.name:
            folder = self.folder(spot.parents)
            os.rename(name, spot.name, src_dir_fd=folder, dst_dir_fd=folder)

    def drop(self, spot: Spot, name: bytes) -> None:
        """Takes back what `begin_file` made."""
        _unlink_if_there(name, self.folder(spot.parents))

    def make_special(self, item: Item, spot: Spot) -> None:
        """A symbolic link, a pipe or a device. Raises `OSError`."""
        with self._passing(spot) as (folder, name):
            match item.kind:
                case ItemKind.SYMLINK:
                    os.symlink(item.target, name, dir_fd=folder)
                case ItemKind.FIFO:
                    os.mkfifo(name, item.mode, dir_fd=folder)
                case ItemKind.CHARACTER_DEVICE | ItemKind.BLOCK_DEVICE:
                    os.mknod(name, _device_mode(item), item.device, dir_fd=folder)
                case _:
                    raise ValueError(f"{item.kind.name} is not made here")

    def make_hard_link(self, existing: Spot, spot: Spot) -> None:
        """Another name of a file below the target. Raises `OSError`."""
        source = os.dup(self.folder(existing.parents))
        try:
            with self._passing(spot) as (folder, name):
                os.link(existing.name, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(source)

    @contextmanager
    def _passing(self, spot: Spot) -> Generator[tuple[int, bytes]]:
        """A folder and a name to make something under; afterwards it has its own name."""
        folder = self.folder(spot.parents)
        if not self._overwrite:
            yield folder, spot.name
            return
        name = self._passing_name()
        yield folder, name
        try:
            os.rename(name, spot.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            # rename() leaves both names when they are links of one file already.
            _unlink_if_there(name, folder)

    def _passing_name(self) -> bytes:
        return b".hort-%s-%d" % (self._token, next(self._numbers))

    def _folders(self) -> Folders:
        if self._mine.folders is None:
            self._mine.folders = Folders(self._root)
            self._all.append(self._mine.folders)
        return self._mine.folders

    def _make_way(self, folders: Folders, parents: tuple[bytes, ...]) -> None:
        for depth in range(len(parents)):
            folder = folders.handle(parents[:depth])
            try:
                os.mkdir(parents[depth], _MADE_ON_THE_WAY, dir_fd=folder)
            except FileExistsError:
                continue


def spot_of(path: bytes) -> Spot:
    """Raises `UnsafePath`."""
    *parents, name = parts(path)
    return Spot(tuple(parents), name)


def _device_mode(item: Item) -> int:
    return item.mode | (stat.S_IFCHR if item.kind is ItemKind.CHARACTER_DEVICE else stat.S_IFBLK)


def _is_folder(name: bytes, folder: int) -> bool:
    """A real one: a link to a folder is none."""
    try:
        os.close(os.open(name, FOLDER, dir_fd=folder))
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return False
    return True


def _unlink_if_there(name: bytes, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
