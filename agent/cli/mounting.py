"""`hort mount`: the library behind a FUSE mount."""

import errno
import importlib
import os
import signal
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cli.browsing import KINDS
from agent.cli.home import find_home
from agent.cli.output import Outcome
from agent.cli.vaults import opened
from agent.engine.library import Library
from agent.meter import Meter
from shared.domain.errors import HortError
from shared.format.items import Item


class NoFuse(HortError):
    """This machine cannot mount."""


@dataclass(frozen=True, slots=True)
class Unmounted:
    folder: Path


def mount(folder: Path, vault_url: str | None) -> Outcome[Unmounted]:
    """Serves until somebody unmounts it. Raises `NoFuse`, or `NotADirectoryError`."""
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    with opened(find_home(), vault_url, Meter()) as here:
        library = Library(here.vault.snapshots(), here.vault.restore_reader(None), here.keys)
        _serve(_Operations(library), folder.absolute())
    return Outcome(Unmounted(folder), lambda done: [f"{done.folder} is unmounted"])


def _serve(operations: "_Operations", folder: Path) -> None:
    try:
        fuse: Any = importlib.import_module("mfusepy")
    except (ImportError, OSError) as error:
        raise NoFuse(f"`hort mount` needs the package mfusepy and the system's libfuse: {error}") from None
    # libfuse ends in order on a signal that nobody else handles.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        fuse.FUSE(operations, str(folder), foreground=True, nothreads=True, ro=True, fsname="hort", subtype="hort")
    except RuntimeError as error:
        raise NoFuse(f"{folder} could not be mounted (libfuse: {error})") from None


class _Operations:
    """What libfuse asks for; times are nanoseconds, paths begin with a slash, errors are `OSError`."""

    use_ns = True

    def __init__(self, library: Library) -> None:
        self._library = library

    def getattr(self, path: str, _: int | None = None) -> dict[str, int]:
        item = self._item(path)
        return {
            "st_mode": item.mode | KINDS[item.kind],
            "st_nlink": 1,
            "st_size": len(item.target) if stat.S_ISLNK(KINDS[item.kind]) else item.size,
            "st_uid": item.uid,
            "st_gid": item.gid,
            "st_rdev": item.device,
            "st_mtime": item.mtime_ns,
            "st_ctime": item.mtime_ns,
            "st_atime": item.mtime_ns,
        }

    def readdir(self, path: str, _: int) -> Iterator[str]:
        with _told():
            return iter([".", "..", *map(os.fsdecode, self._library.names(_bare(path)))])

    def readlink(self, path: str) -> str:
        return os.fsdecode(self._item(path).target)

    def listxattr(self, path: str) -> list[str]:
        return [os.fsdecode(name) for name, _ in self._item(path).xattrs]

    def getxattr(self, path: str, name: str, _: int = 0) -> bytes:
        values = dict(self._item(path).xattrs)
        if os.fsencode(name) not in values:
            raise OSError(errno.ENODATA, name)
        return values[os.fsencode(name)]

    def read(self, path: str, size: int, offset: int, _: int) -> bytes:
        with _told():
            return self._library.read(_bare(path), offset, size)

    def _item(self, path: str) -> Item:
        with _told():
            item = self._library.item(_bare(path))
        if item is None:
            raise FileNotFoundError(errno.ENOENT, path)
        return item


def _bare(path: str) -> bytes:
    return os.fsencode(path).strip(b"/")


@contextmanager
def _told() -> Generator[None]:
    """Damage is an I/O error to whoever reads: never a wrong byte."""
    try:
        yield
    except HortError as error:
        raise OSError(errno.EIO, str(error)) from None
