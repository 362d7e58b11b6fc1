"""What the engine is told to do, and what it says when it has done it."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from agent.overwrite import Overwrite
from shared.domain.ids import SessionId
from shared.format.errors import Damaged

PACK_TARGET_BYTES = 32 << 20


class Progress(Protocol):
    """Hears how a run goes. Called often and from several threads, so it must be cheap and must not raise."""

    def expect(self, entries: int, logical_bytes: int) -> None:
        """What the run will come to; may be said again when more is known, and not at all when nothing is."""
        ...

    def advance(self, entries: int, logical_bytes: int, path: bytes) -> None:
        """So much more is done; `path` is where the run is now (bytes, because names need not be text)."""
        ...

    def sent(self, sent_bytes: int) -> None:
        """So much more went into the vault, or came out of it."""
        ...


class Silence:
    """Progress that nobody listens to."""

    def expect(self, entries: int, logical_bytes: int) -> None: ...

    def advance(self, entries: int, logical_bytes: int, path: bytes) -> None: ...

    def sent(self, sent_bytes: int) -> None: ...


class Trouble(NamedTuple):
    """Something that did not go as it should. `path` is printable: bytes that are no text are shown as `\\xNN`."""

    path: str
    reason: str


def shown(path: bytes) -> str:
    """A path for people."""
    return path.decode("utf-8", "backslashreplace")


def hurt(path: bytes, damage: Damaged) -> Trouble:
    """What damage does to the entry at `path`, whose name is said once."""
    return Trouble(shown(path), damage.reason if damage.name == shown(path) else str(damage))


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - orders are where time enters the engine


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """`include` and `exclude` are globs as described in `agent/engine/globs.py`; includes come first, excludes win."""

    paths: tuple[Path, ...]
    cache_dir: Path
    host: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    reread: bool = False
    """Read every file, even one whose size and times have not changed (G2)."""
    ignore: tuple[str, ...] = ()
    """Lines as in a `.gitignore` that lies in `/`: later ones win, `!` takes back."""
    anew: bool = False
    """Trust no memory and nothing in the vault: read every file and store every chunk again."""
    backup_set: str = ""
    """The name under which the snapshot is filed."""
    renewal_limit: float = 1.25
    """How many times more may be kept than is needed before packs are renewed (`agent/engine/renewal.py`)."""
    threads: int = 2
    pack_target_bytes: int = PACK_TARGET_BYTES
    now: Callable[[], datetime] = utc_now
    entropy: Callable[[int], bytes] = os.urandom


@dataclass(frozen=True, slots=True)
class BackupReport:
    session: SessionId
    committed_at: datetime
    resumed: bool
    """True when this run went on with a session that an earlier run left open."""
    files: int
    """Everything that is not a directory."""
    directories: int
    unchanged: int
    """Entries taken over without being read."""
    logical_bytes: int
    new_bytes: int
    """Of these, what the vault did not have yet, before compression."""
    sent_bytes: int
    """What went into the vault, indexes and head included."""
    packs: int
    seconds: float
    skipped_count: int
    skipped: tuple[Trouble, ...]
    """Not in the snapshot, with the reason: the first thousand."""
    changing: tuple[Trouble, ...]
    """In the snapshot as read, but they changed while being read, twice."""
    renewed: tuple[Trouble, ...] = ()
    """Packs whose needed chunks were stored anew, and why."""


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """`paths` as `list_items` shows them (a leading `/` does no harm); empty means everything.

    The snapshot's paths are made below `target`; `Path("/")` restores in place.
    """

    session: SessionId
    target: Path
    paths: tuple[bytes, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Globs as in a `BackupOrder`, on the snapshot's paths."""
    overwrite: Overwrite = Overwrite.NEVER
    """What is replaced is replaced file by file, each in one step; what is left alone is reported as skipped."""
    verify: bool = False
    """Read back what was restored and compare it with the snapshot."""
    threads: int = 2


@dataclass(frozen=True, slots=True)
class RestoreReport:
    session: SessionId
    files: int
    directories: int
    unchanged: int
    """Entries that were there as the snapshot has them."""
    logical_bytes: int
    read_bytes: int
    """What was read from the vault."""
    packs: int
    seconds: float
    skipped: tuple[Trouble, ...]
    """Left alone: it existed, or its name leads out of the target, or the system would not have it."""
    damaged: tuple[Trouble, ...]
    """Files that could not be restored whole, because something in the vault is missing or altered."""
    verified: int | None = None
    """Entries that were read back and found to be the snapshot's; None when nobody asked."""
    differing: tuple[Trouble, ...] = ()
    """Those that were not."""

    @property
    def complete(self) -> bool:
        return not self.skipped and not self.damaged and not self.differing


@dataclass(frozen=True, slots=True)
class CheckOrder:
    """`session` limits the check to one snapshot. `read_data` opens packs; without it only sizes are looked at."""

    session: SessionId | None = None
    read_data: bool = False
    read_share: float = 1.0
    """How many of the packs are read, chosen by chance: one at least."""
    choose: Callable[[int, int], list[int]] = lambda number, of: random.SystemRandom().sample(range(of), number)
    """So many different numbers below another one."""
    threads: int = 2


@dataclass(frozen=True, slots=True)
class CheckReport:
    snapshots: int
    entries: int
    packs: int
    chunks: int
    read_bytes: int
    seconds: float
    damaged: tuple[Trouble, ...]
    """`path` is the object's name in the vault, or a path in a snapshot when a file is hurt."""

    @property
    def sound(self) -> bool:
        return not self.damaged
