"""Small files that nobody else may read, and that are whole or not there."""

import os
import stat
from pathlib import Path

from shared.domain.errors import HortError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TooOpen(HortError):
    """Others can read a secret file; like ssh, we do not use it then."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can be read by others: it may have leaked. If it has not, run: chmod 600 {path}")


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def create(path: Path, content: bytes) -> None:
    """Writes a new file. Raises `FileExistsError`."""
    _write_new(path, content)
    _sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Replaces `path` in one step; on the disk when this returns."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    _write_new(draft, content)
    draft.replace(path)  # content before name: a crash leaves the old file or the new one
    _sync_folder(path.parent)


def read(path: Path) -> bytes | None:
    """`None` when there is no such file. Raises `TooOpen`."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise TooOpen(path)
            return file.read()
    except FileNotFoundError:
        return None


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
