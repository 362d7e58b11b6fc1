"""What a SAS may do and for how long, by purpose: the whole table, so that it can be read at a glance (design 5)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class Purpose(StrEnum):
    UPLOAD = "upload"
    RESTORE = "restore"


class Permissions(NamedTuple):
    """Azure's letters: `c` creates and never overwrites, `r` reads. Nobody gets `w`, `d` or `l`."""

    packs: str
    meta: str


PERMISSIONS: Mapping[Purpose, Permissions] = {
    Purpose.UPLOAD: Permissions(packs="c", meta="rc"),
    Purpose.RESTORE: Permissions(packs="r", meta="r"),
}

LIFE = timedelta(hours=1)
"""An agent gets a fresh grant with every renewal, and asks for one when storage refuses the old."""


def policy_of(purpose: Purpose, generation: int) -> str:
    """The stored access policy that a grant hangs on. What is withdrawn comes back under another name, or never."""
    return f"{purpose}-{generation}"


def end_of(now: datetime, until: datetime) -> datetime:
    """A grant's: soon, and never past `until`."""
    return min(now + LIFE, until)
