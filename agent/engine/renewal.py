"""Which packs count as absent, so that what is still needed of them is stored anew and the rest can go (DESIGN §5).

One small file that lives on keeps its whole pack alive. A pack that is treated as absent gets no new references; when
the last snapshot that needs it expires, it is deleted. The price is an upload, so the worst used go first, and no
more than a credit that grows with what ordinary backups send.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.engine.locations import Locations
from shared.format.errors import Damaged
from shared.format.names import PackName
from shared.format.refs import PackRef

CREDIT_SHARE = 0.2
"""Of what ordinary backups send, for renewing."""

WORTHWHILE_BYTES = 64 << 10
"""Less waste in a pack is let be: every pack has a directory and padding, and a new one would have them too."""

WHOLE = 1 << 62
"""More than any chunk holds: all of it is needed."""


class PackUse(NamedTuple):
    """A pack that the last snapshot needs; `used_bytes` of its `size_bytes` are really needed."""

    pack: PackName
    size_bytes: int
    used_bytes: int

    @property
    def share(self) -> float:
        return self.used_bytes / self.size_bytes

    @property
    def waste_bytes(self) -> int:
        return self.size_bytes - self.used_bytes


@dataclass(frozen=True, slots=True)
class Renewed:
    """A pack to treat as absent, and why."""

    pack: PackName
    used_bytes: int
    reason: str


def weigh(used: Mapping[bytes, int], locations: Locations) -> list[PackUse]:
    """How well packs are used by a snapshot that needs so many bytes of each chunk's plaintext."""
    needed: dict[PackRef, float] = {}
    for chunk, raw_bytes in used.items():
        try:
            place = locations.at(chunk)
        except Damaged:
            continue  # it counts as absent anyway
        if place is not None and place.record.raw_length:
            part = min(raw_bytes / place.record.raw_length, 1.0)
            _, ref = locations.needs(chunk)
            needed[ref] = needed.get(ref, 0.0) + place.record.length * part
    return [PackUse(ref.name, ref.size_bytes, int(used_bytes)) for ref, used_bytes in needed.items()]


def plan(uses: Iterable[PackUse], credit_bytes: int, limit: float) -> Sequence[Renewed]:
    """The packs to renew, worst used first, until what is kept is at most `limit` times what is needed, or the credit
    is spent."""
    worst_first = sorted(uses, key=lambda use: (use.share, use.pack))
    stored_bytes = sum(use.size_bytes for use in worst_first)
    enough_bytes = limit * sum(use.used_bytes for use in worst_first)
    chosen: list[Renewed] = []
    for use in worst_first:
        if stored_bytes <= enough_bytes or use.used_bytes > credit_bytes:
            break
        if use.waste_bytes < WORTHWHILE_BYTES:
            continue
        chosen.append(Renewed(use.pack, use.used_bytes, f"{use.share:.0%} of {use.size_bytes} bytes are needed"))
        stored_bytes -= use.waste_bytes  # the pack goes, and what is needed of it comes back
        credit_bytes -= use.used_bytes
    return chosen


def credit_after(credit_bytes: int, sent_bytes: int, renewed_bytes: int) -> int:
    """What is left for later runs when this one sent so much, of which so much was renewal."""
    return int(credit_bytes - renewed_bytes + CREDIT_SHARE * max(sent_bytes - renewed_bytes, 0))
