"""House-keeping, every night: what has ended is removed, a window of rows at a time."""

from dataclasses import dataclass
from enum import StrEnum

from shared.durable.calls import ActivityCall, WorkflowCall


class Ended(StrEnum):
    """What is gone through, in this order."""

    TALLIES = "tallies"
    FAMILIES = "families"
    CODES = "codes"
    CODE_NAMES = "code-names"
    ASSERTIONS = "assertions"
    RESERVATIONS = "reservations"
    REVOCATIONS = "revocations"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next window begins."""

    kind: Ended
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class KeepHouse:
    """Starts the round, and carries its state from one run to the next."""

    place: Place = Place(Ended.TALLIES)
    removed: int = 0


@dataclass(frozen=True, slots=True)
class HouseKept:
    removed: int


@dataclass(frozen=True, slots=True)
class Sweep:
    place: Place


@dataclass(frozen=True, slots=True)
class Swept:
    removed: int
    place: Place | None
    """Where to go on; `None`: everything was gone through."""


INSTANCE = "housekeeping"
"""One round at a time: a second start while it runs is none."""

sweep = ActivityCall("sweep", Sweep, Swept)
keep_house = WorkflowCall("keep_house", KeepHouse, HouseKept)
