"""The mark in integers does what sets of names would do; every number stays what it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import catalogue as catalogues
from shared.domain.catalogue import Catalogue, Shelf
from shared.domain.ids import PackName, SessionId

SESSIONS = tuple(SessionId.of_number(n) for n in range(1, 6))
A, B, C, *_ = SESSIONS
type Packs = Mapping[PackName, int]


def pack(session: SessionId, number: int) -> PackName:
    return PackName(session, f"{number:064x}")


@dataclass(frozen=True, slots=True)
class Vault:
    """The same as sets of names: slow, and plainly right."""

    stored: Mapping[SessionId, Packs]
    """By committed session."""
    needed: Mapping[SessionId, Packs]
    """By snapshot."""

    def unreferenced(self, kept: set[SessionId]) -> set[PackName]:
        needed = {name for snapshot in kept for name in self.needed[snapshot]}
        return {name for packs in self.stored.values() for name in packs} - needed

    def catalogue(self) -> Catalogue:
        made = Catalogue()
        for session, packs in self.stored.items():
            made = catalogues.listed(made, session, packs.items())
        for snapshot, packs in self.needed.items():
            made = catalogues.used(made, snapshot, sorted(packs.items()))
        return made


@st.composite
def vaults(draw: st.DrawFn) -> Vault:
    """Sessions with up to twenty packs each, and snapshots that need any of them."""
    counts = draw(st.lists(st.integers(0, 20), min_size=1, max_size=len(SESSIONS)))
    sessions = SESSIONS[: len(counts)]
    stored = {s: {pack(s, n): n + 1 for n in range(count)} for s, count in zip(sessions, counts, strict=True)}
    everything = {name: size for packs in stored.values() for name, size in packs.items()}
    some = st.sets(st.sampled_from(sorted(everything))) if everything else st.just(set[PackName]())
    return Vault(stored, {s: {name: everything[name] for name in draw(some)} for s in draw(st.sets(_of(sessions)))})


def _of(sessions: tuple[SessionId, ...]) -> st.SearchStrategy[SessionId]:
    return st.sampled_from(sessions)


def names(catalogue: Catalogue, use: catalogues.Use) -> set[PackName]:
    return {name for name, _ in catalogues.packs_of(catalogue, use)}


@given(vaults(), st.data())
def test_the_mark_finds_exactly_what_no_kept_snapshot_needs(vault: Vault, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(sorted(vault.needed)))) if vault.needed else set[SessionId]()
    catalogue = vault.catalogue()
    dead = catalogues.unreferenced(catalogue, kept, vault.stored)
    assert names(catalogue, dead) == vault.unreferenced(kept)
    assert all(dead.values()), "a session without dead packs is not spoken of"


@given(vaults())
def test_every_pack_has_its_name_and_its_size(vault: Vault) -> None:
    catalogue = vault.catalogue()
    for session, packs in vault.stored.items():
        assert dict(catalogues.packs_on(catalogue, session)) == packs
    for snapshot, packs in vault.needed.items():
        assert dict(catalogues.packs_of(catalogue, catalogue.uses[snapshot])) == packs


@given(vaults(), st.data())
def test_what_snapshots_need_does_not_depend_on_the_order_in_which_packs_became_known(
    vault: Vault, data: st.DataObject
) -> None:
    """Refs first, then a listing in any order: the numbers differ, the packs do not."""
    late = Catalogue()
    for snapshot, packs in vault.needed.items():
        late = catalogues.used(late, snapshot, sorted(packs.items()))
    for session, packs in vault.stored.items():
        late = catalogues.listed(late, session, data.draw(st.permutations(sorted(packs.items()))))
    early = vault.catalogue()
    for snapshot in vault.needed:
        assert names(late, late.uses[snapshot]) == names(early, early.uses[snapshot])
    assert names(late, catalogues.unreferenced(late, (), vault.stored)) == vault.unreferenced(set())


@given(vaults(), st.data())
def test_a_number_once_given_stays(vault: Vault, data: st.DataObject) -> None:
    """A use is an integer: were a pack's number to move, a snapshot would need another pack."""
    before = vault.catalogue()
    session = data.draw(st.sampled_from(sorted(vault.stored)))
    more = data.draw(st.permutations([(pack(session, n), n + 1) for n in range(25)]))
    after = catalogues.used(catalogues.listed(before, session, more), SESSIONS[-1], sorted(more))
    ids, sizes = before.shelves[session].ids, before.shelves[session].sizes
    assert (after.shelves[session].ids[: len(ids)], after.shelves[session].sizes[: len(sizes)]) == (ids, sizes)


@given(vaults())
def test_listing_again_changes_nothing(vault: Vault) -> None:
    catalogue = vault.catalogue()
    for session, packs in vault.stored.items():
        assert catalogues.listed(catalogue, session, reversed(list(packs.items()))) == catalogue


@given(vaults(), st.data())
def test_what_is_forgotten_leaves_the_others_as_they_are(vault: Vault, data: st.DataObject) -> None:
    catalogue = vault.catalogue()
    over = data.draw(st.sets(st.sampled_from(SESSIONS)))
    left = catalogues.without(catalogue, over, over)
    assert left.shelves == {session: shelf for session, shelf in catalogue.shelves.items() if session not in over}
    assert left.uses == {snapshot: use for snapshot, use in catalogue.uses.items() if snapshot not in over}


def test_a_snapshot_is_noted_as_a_reader_of_indexes_without_packs() -> None:
    """Its index must stay, though no pack of the session is needed any more."""
    catalogue = catalogues.used(Catalogue(), B, [(pack(A, 1), 10)], [A, B, C])
    assert dict(catalogue.uses[B]) == {A: 1, B: 0, C: 0}


def test_a_pack_that_no_listing_showed_is_believed_in() -> None:
    listed = catalogues.listed(Catalogue(), A, [(pack(A, 1), 10)])
    believed = catalogues.used(listed, B, [(pack(A, 1), 10), (pack(A, 2), 20)])
    assert dict(catalogues.packs_on(believed, A)) == {pack(A, 1): 10, pack(A, 2): 20}
    assert catalogues.unreferenced(believed, [B], [A]) == {}


def test_packs_of_sessions_that_are_not_committed_are_never_marked() -> None:
    catalogue = catalogues.listed(Catalogue(), A, [(pack(A, 1), 10)])
    assert catalogues.unreferenced(catalogue, (), ()) == {}
    assert catalogues.unreferenced(catalogue, (), [B]) == {}, "nothing is known of it yet"


def test_no_mark_is_made_while_a_kept_snapshot_is_unknown() -> None:
    with pytest.raises(KeyError):
        catalogues.unreferenced(Catalogue(), [A], [A])


def test_the_last_bit_of_a_byte_is_a_pack_like_the_others() -> None:
    packs = [(pack(A, n), n) for n in range(17)]
    catalogue = catalogues.listed(Catalogue(), A, packs)
    for wanted in (0, 7, 8, 15, 16):
        used = catalogues.used(catalogue, B, packs[wanted : wanted + 1])
        assert names(used, used.uses[B]) == {pack(A, wanted)}
    assert catalogue.shelves[A] == Shelf(b"".join(n.to_bytes(32) for n in range(17)), tuple(range(17)))
