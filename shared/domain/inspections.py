"""What a look into an account's storage found: losses, strays, damage."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.ids import AccountId, PackName


class InspectionKind(StrEnum):
    RECONCILE = "reconcile"
    """Weekly: the containers are listed, and compared with what the rows and refs say."""
    SCRUB = "scrub"
    """Monthly: a sample of packs is read, and their bytes are hashed."""


@dataclass(frozen=True, slots=True)
class Inspection:
    account: AccountId
    at: datetime
    kind: InspectionKind
    objects: int
    """Looked at."""
    stored_bytes: int
    strays: int = 0
    """Objects that belonged to nothing, and were deleted."""
    faults: tuple[str, ...] = ()
    """Each is an incident."""


def sample(packs: Mapping[PackName, int], month: str, budget_bytes: int) -> list[PackName]:
    """Which packs to read in a month: others each time, at least one, and no more than the budget allows.

    The month stirs their order, so that in the long run all have their turn.
    """
    drawn = sorted(packs, key=lambda pack: hashlib.sha256(f"{month} {pack}".encode()).digest())
    chosen, left = drawn[:1], budget_bytes - sum(packs[pack] for pack in drawn[:1])
    for pack in drawn[1:]:
        if packs[pack] > left:
            break
        chosen.append(pack)
        left -= packs[pack]
    return chosen


def lost(needed: Mapping[PackName, int], there: Mapping[PackName, int]) -> list[str]:
    """What is wrong with the packs that kept snapshots need."""
    return [
        f"pack {pack} is not there" if pack not in there else f"pack {pack} has {there[pack]} bytes instead of {size}"
        for pack, size in sorted(needed.items())
        if there.get(pack) != size
    ]


def in_words(faults: Iterable[str], at_most: int = 5) -> str:
    """For an incident's note: the first ones, and how many more."""
    all_of_them = list(faults)
    more = f"; and {len(all_of_them) - at_most} more" if len(all_of_them) > at_most else ""
    return "; ".join(all_of_them[:at_most]) + more
