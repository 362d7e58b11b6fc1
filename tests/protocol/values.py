"""What the model's world is made of: small values that hash fast. Packs are bits, times are hours from now.

A time that lies further back than any rule looks is moved up to where no rule can tell the difference, so the
worlds of a protocol that runs for ever are finitely many.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.domain.sessions import LEASE, RENEWABLE_FOR, SessionState
from shared.domain.sweep import GRACE

CONTENTS = 4
"""At most so many packs a session: one for each content it may have to store."""
HOUR = 3600
GRACE_HOURS = int(GRACE.total_seconds()) // HOUR
LEASE_HOURS = int(LEASE.total_seconds()) // HOUR
RENEWABLE_HOURS = int(RENEWABLE_FOR.total_seconds()) // HOUR


class Safeguard(StrEnum):
    """A layer of the protocol that can be taken out."""

    FENCE = "fence"
    CHECK = "commit check"
    ETAG = "ETag"
    RESURRECTION = "resurrection"
    SECOND_MARK = "second mark"
    GRACE = "grace"


type Without = frozenset[Safeguard]
NOTHING: Without = frozenset()


class Heap(NamedTuple):
    """A batch of condemned packs."""

    packs: int
    epoch: int
    at: int


class Row(NamedTuple):
    """The account's state row, the sets in place of their names."""

    epoch: int = 0
    condemned: tuple[Heap, ...] = ()
    deleting: int = 0
    deleted: int = 0

    @property
    def all_condemned(self) -> int:
        packs = 0
        for heap in self.condemned:
            packs |= heap.packs
        return packs

    @property
    def out(self) -> int:
        """What an opening names as not to be reused."""
        return self.all_condemned | self.deleting | self.deleted


class Session(NamedTuple):
    state: SessionState
    epoch: int
    lease: int
    renewable: int = RENEWABLE_HOURS
    ended: int = 0
    indexed: int = 0
    """Told by the commit: the packs that its index names."""


class Snapshot(NamedTuple):
    needs: int
    expired: int | None = None
    held: bool = False


class Change[T](NamedTuple):
    """One row beside the state's, with what the writer saw there: the row's own ETag."""

    number: int
    old: T | None
    new: T | None


class Write(NamedTuple):
    """A transaction that its actor has made up its mind on, and has not sent yet."""

    what: str
    row: Row
    session: Change[Session] | None = None
    snapshot: Change[Snapshot] | None = None
    shuns: int = 0
    """For an opening: what the agent will be told not to reuse."""
    fresh: bool = True
    """The state's row is as it was read: what its ETag tells."""

    @property
    def subject(self) -> int:
        change = self.session or self.snapshot
        return change.number if change else 0


class Phase(StrEnum):
    ASLEEP = "asleep"
    TOLD = "told"
    """It has opened a session and read its answer, and has not chosen yet."""
    READY = "ready"
    OVER = "over"


class Agent(NamedTuple):
    phase: Phase = Phase.ASLEEP
    shuns: int = 0
    needs: int = 0
    sent: int = 0
    write: Write | None = None


class Worker(NamedTuple):
    """One delivery of a sweep's activity: the packs it still deletes, and what it writes after the last."""

    hand: int = 0
    write: Write | None = None


class World(NamedTuple):
    """Agent, session and snapshot of one backup have one number; number 0 was there at first."""

    storage: int
    row: Row
    sessions: tuple[Session | None, ...]
    snapshots: tuple[Snapshot | None, ...]
    agents: tuple[Agent, ...]
    workers: tuple[Worker, ...]


def own(session: int) -> int:
    """All packs that a session may ever have."""
    return (1 << CONTENTS) - 1 << CONTENTS * session


def pack(session: int, content: int) -> int:
    return 1 << CONTENTS * session + content


def bits(packs: int) -> list[int]:
    return [n for n in range(packs.bit_length()) if packs >> n & 1]


def begun(backups: int, workers: int, contents: int) -> World:
    """One backup is there, committed and kept; `backups` agents have not begun yet."""
    there = sum(pack(0, content) for content in range(contents))
    first = Session(SessionState.COMMITTED, epoch=0, lease=0, renewable=0, indexed=there)
    nobody = (None,) * backups
    return World(
        storage=there,
        row=Row(),
        sessions=(first, *nobody),
        snapshots=(Snapshot(there), *nobody),
        agents=(Agent(Phase.OVER), *(Agent() for _ in range(backups))),
        workers=(Worker(),) * workers,
    )
