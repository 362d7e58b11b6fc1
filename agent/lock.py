"""One run a home: the kernel holds the lock, so a killed run leaves none behind."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from agent import private_files
from shared.domain.errors import HortError


class AnotherRun(HortError):
    """A run of this home is going on."""

    def __init__(self) -> None:
        super().__init__("another run of hort is going on with the same home; wait for it to end")


@contextmanager
def only_run(path: Path) -> Generator[None]:
    """Raises `AnotherRun` at once instead of waiting."""
    private_files.make_folder(path.parent)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRun from None
        yield


def is_held(path: Path) -> bool:
    """Whether a run is going on now. Leaves nothing behind, so it also works where nobody may write."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
