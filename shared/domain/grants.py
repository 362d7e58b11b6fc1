"""What a SAS may do, by purpose: the whole table, so that it can be read at a glance (design 5)."""

from enum import StrEnum
from typing import NamedTuple


class Purpose(StrEnum):
    UPLOAD = "upload"
    RESTORE = "restore"


class Permissions(NamedTuple):
    """Azure's letters: `c` creates and never overwrites, `r` reads. Nobody gets `w`, `d` or `l`."""

    packs: str
    meta: str


PERMISSIONS = {
    Purpose.UPLOAD: Permissions(packs="c", meta="rc"),
    Purpose.RESTORE: Permissions(packs="r", meta="r"),
}
