"""What the sweep remembers of an account: which packs there are, and which of them each snapshot needs.

Packs have numbers within their session, in the order in which they became known, and a snapshot's use of a session's
packs is one integer with a bit for each. So the mark over a million packs and thirty snapshots is a few thousand
operations on long integers. All of it can be made anew from listings and refs.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from shared.domain.ids import PackName, SessionId

PACK_ID_BYTES = 32
_DIGITS = bytes.maketrans(b"\0\1", b"01")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The packs of one session."""

    ids: bytes = b""
    """Pack ids, 32 bytes each, by number."""
    sizes: tuple[int, ...] = ()
    """In bytes, by number."""

    def each(self) -> Iterator[bytes]:
        """The pack ids, by number."""
        return (self.ids[at : at + PACK_ID_BYTES] for at in range(0, len(self.ids), PACK_ID_BYTES))

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
    shelf = _filled(catalogue.shelves.get(session, Shelf()), _shelf(packs))
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
    groups = groupby(packs, key=lambda pack: pack[0].session)
    return used_shelves(catalogue, snapshot, ((session, _shelf(group)) for session, group in groups), indexes)


def used_shelves(
    catalogue: Catalogue, snapshot: SessionId, needs: Iterable[tuple[SessionId, Shelf]], indexes: Iterable[SessionId]
) -> Catalogue:
    """The same, told by session: names of a million packs would be many times as large."""
    shelves, use = dict(catalogue.shelves), dict.fromkeys(indexes, 0)
    for session, needed in needs:
        bits = _bits(shelves.get(session, Shelf()), needed)
        if bits.bit_count() < len(needed.sizes):  # one that no listing showed
            shelves[session] = _filled(shelves.get(session, Shelf()), needed)
            bits = _bits(shelves[session], needed)
        use[session] = bits
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


def _shelf(packs: Iterable[tuple[PackName, int]]) -> Shelf:
    ids, sizes = bytearray(), array("Q")
    for name, size in packs:
        ids += bytes.fromhex(name.pack_id)
        sizes.append(size)
    return Shelf(bytes(ids), tuple(sizes))


def _filled(shelf: Shelf, packs: Shelf) -> Shelf:
    """With those of `packs` that are not there yet."""
    if packs.ids == shelf.ids:
        return shelf
    fresh = dict(zip(packs.each(), packs.sizes, strict=True))
    for pack_id in shelf.each():
        fresh.pop(pack_id, None)
    return Shelf(shelf.ids + b"".join(fresh), (*shelf.sizes, *fresh.values())) if fresh else shelf


def _bits(shelf: Shelf, packs: Shelf) -> int:
    if packs.ids == shelf.ids:  # the packs of a young session are needed all: no need to look each up
        return (1 << len(shelf.sizes)) - 1
    wanted = frozenset(packs.each())
    digits = bytes(map(wanted.__contains__, shelf.each())).translate(_DIGITS)
    return int(digits[::-1] or b"0", 2)


def _numbers(bits: int) -> Iterator[int]:
    marks = bits.to_bytes(bits.bit_length() // 8 + 1, "little")
    for at, byte in enumerate(marks):
        for bit in range(8) if byte else ():
            if byte >> bit & 1:
                yield at << 3 | bit
