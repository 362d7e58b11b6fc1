"""What the sweep remembers of an account: which packs there are, and which of them each snapshot needs.

Packs have numbers within their session, in the order in which they became known, and a snapshot's use of a session's
packs is one integer with a bit for each. So the mark over a million packs and thirty snapshots is a few thousand
operations on long integers. All of it can be made anew from listings and refs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from shared.domain.ids import PackName, SessionId

PACK_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Shelf:
    """The packs of one session."""

    ids: bytes = b""
    """Pack ids, 32 bytes each, by number."""
    sizes: tuple[int, ...] = ()
    """In bytes, by number."""

    def numbers(self) -> dict[bytes, int]:
        return {self.ids[n * PACK_ID_BYTES : (n + 1) * PACK_ID_BYTES]: n for n in range(len(self.sizes))}

    def pack_id(self, number: int) -> str:
        return self.ids[number * PACK_ID_BYTES : (number + 1) * PACK_ID_BYTES].hex()


type Use = Mapping[SessionId, int]
"""By session, the packs that somebody needs: bit n stands for the pack with number n."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    shelves: Mapping[SessionId, Shelf] = field(default_factory=dict[SessionId, Shelf])
    uses: Mapping[SessionId, Use] = field(default_factory=dict[SessionId, Use])
    """By snapshot."""


def listed(catalogue: Catalogue, session: SessionId, packs: Iterable[tuple[PackName, int]]) -> Catalogue:
    """With a session's packs (name, size in bytes), as storage lists them. What is known keeps its number."""
    shelf = _filled(catalogue.shelves.get(session, Shelf()), packs)
    return replace(catalogue, shelves={**catalogue.shelves, session: shelf})


def used(
    catalogue: Catalogue,
    snapshot: SessionId,
    packs: Iterable[tuple[PackName, int]],
    indexes: Iterable[SessionId] = (),
) -> Catalogue:
    """With a snapshot that needs these packs, sorted by name, and the indexes of these sessions.

    A pack that no listing showed is believed in.
    """
    shelves, use = dict(catalogue.shelves), dict.fromkeys(indexes, 0)
    for session, group in groupby(packs, key=lambda pack: pack[0].session):
        needed = list(group)
        ids = [bytes.fromhex(name.pack_id) for name, _ in needed]
        shelf = shelves.get(session, Shelf())
        if b"".join(ids) != shelf.ids:
            shelf = shelves[session] = _filled(shelf, needed)
        use[session] = _bits(shelf, ids)
    return Catalogue(shelves, {**catalogue.uses, snapshot: use})


def without(catalogue: Catalogue, sessions: Iterable[SessionId], snapshots: Iterable[SessionId]) -> Catalogue:
    """Forgets sessions whose packs are gone, and snapshots that are no more."""
    gone, over = frozenset(sessions), frozenset(snapshots)
    return Catalogue(
        {session: shelf for session, shelf in catalogue.shelves.items() if session not in gone},
        {snapshot: use for snapshot, use in catalogue.uses.items() if snapshot not in over},
    )


def unreferenced(catalogue: Catalogue, kept: Iterable[SessionId], committed: Iterable[SessionId]) -> Use:
    """The mark: packs of committed sessions that no kept snapshot needs. Raises `KeyError` for an unknown snapshot."""
    needed = dict[SessionId, int]()
    for snapshot in kept:
        for session, bits in catalogue.uses[snapshot].items():
            needed[session] = needed.get(session, 0) | bits
    dead = dict[SessionId, int]()
    for session in committed:
        shelf = catalogue.shelves.get(session, Shelf())
        if bits := (1 << len(shelf.sizes)) - 1 & ~needed.get(session, 0):
            dead[session] = bits
    return dead


def packs_on(catalogue: Catalogue, session: SessionId) -> Iterator[tuple[PackName, int]]:
    """All the packs that a session uploaded and that were ever known."""
    everything = (1 << len(catalogue.shelves[session].sizes)) - 1
    return packs_of(catalogue, {session: everything})


def packs_of(catalogue: Catalogue, use: Use) -> Iterator[tuple[PackName, int]]:
    """The names of the packs, with their sizes in bytes."""
    for session, bits in use.items():
        shelf = catalogue.shelves[session]
        for number in _numbers(bits):
            yield PackName(session, shelf.pack_id(number)), shelf.sizes[number]


def _filled(shelf: Shelf, packs: Iterable[tuple[PackName, int]]) -> Shelf:
    there = shelf.numbers()
    new = {bytes.fromhex(name.pack_id): size for name, size in packs}
    fresh = {pack_id: size for pack_id, size in new.items() if pack_id not in there}
    return Shelf(shelf.ids + b"".join(fresh), (*shelf.sizes, *fresh.values()))


def _bits(shelf: Shelf, ids: list[bytes]) -> int:
    if len(ids) == len(shelf.sizes):  # the packs of a young session are needed all: no need to look each up
        return (1 << len(ids)) - 1
    numbers = shelf.numbers()
    marks = bytearray(len(shelf.sizes) // 8 + 1)
    for pack_id in ids:
        number = numbers[pack_id]
        marks[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(marks, "little")


def _numbers(bits: int) -> Iterator[int]:
    marks = bits.to_bytes(bits.bit_length() // 8 + 1, "little")
    for at, byte in enumerate(marks):
        for bit in range(8) if byte else ():
            if byte >> bit & 1:
                yield at << 3 | bit
