"""Looks into storage: a loss is an incident at once, strays go, and nothing that is needed is touched."""

import pytest

from shared.contracts.inspections import InspectAccount, NextAccounts
from shared.domain.ids import SessionId
from shared.domain.incidents import Incident, IncidentKind
from shared.domain.inspections import Inspection, InspectionKind
from shared.format import names
from shared.operations import inspecting
from tests.conftest import Clock
from tests.operations.test_sweeping import DAY, KEPT_DAYS, Nights, there
from tests.operations.world import World


def look(world: World, clock: Clock, kind: InspectionKind = InspectionKind.RECONCILE) -> Inspection:
    clock.move(DAY)
    return inspecting.inspect_account(world.services, InspectAccount(world.account.customer, world.id, kind, clock.at))


def incidents_of(world: World) -> list[Incident]:
    return list(world.services.incidents.all(world.account.customer))


def test_a_whole_vault_has_no_faults(world: World, clock: Clock) -> None:
    world.backed_up(3)
    world.ready()
    found = look(world, clock)
    assert (found.objects, found.strays, found.faults) == (4 + 3 + 3, 0, ())
    assert incidents_of(world) == []


def test_a_lost_pack_is_one_incident_that_names_it_however_often_it_is_found(world: World, clock: Clock) -> None:
    _, packs = world.backed_up(3)
    world.delete_pack(packs[1].name)
    assert look(world, clock).faults == (f"pack {packs[1].name} is not there",)
    look(world, clock)
    (incident,) = incidents_of(world)
    assert incident.kind is IncidentKind.DATA_LOST
    assert str(packs[1].name) in incident.note


def test_a_pack_of_another_size_is_a_loss(world: World, clock: Clock) -> None:
    _, packs = world.backed_up(1)
    world.put(names.packs_container(world.id), str(packs[0].name), b"short")
    assert "has 5 bytes instead of 64" in look(world, clock).faults[0]


@pytest.mark.parametrize("lost", ["head/{}", "refs/{}", "index/{}/0"])
def test_lost_meta_of_a_kept_snapshot_is_a_loss(world: World, clock: Clock, lost: str) -> None:
    snapshot, _ = world.backed_up(1)
    world.services.vault_blobs.delete_meta(world.id, [lost.format(snapshot.id)])
    assert snapshot.id in look(world, clock).faults[0]


def test_objects_of_no_session_are_cleared_away_and_logged(world: World, clock: Clock) -> None:
    snapshot, packs = world.backed_up(1)
    stranger = world.services.new(SessionId)
    world.upload_pack(stranger)
    world.upload_meta(stranger)
    world.put(names.packs_container(world.id), "junk/of/an/attacker", b"x")
    found = look(world, clock)
    assert (found.strays, found.faults) == (4, ())
    assert there(world, stranger) == set()
    assert there(world, snapshot.id) == {packs[0].name}
    (entry,) = world.services.deletions.all(world.id)
    assert entry.objects == 4
    assert look(world, clock).strays == 0


def test_what_a_running_session_uploads_is_no_stray(world: World, clock: Clock) -> None:
    order = world.ready(own=2)
    assert look(world, clock).strays == 0
    assert len(there(world, order.session)) == 2


def test_a_pack_that_came_late_into_a_committed_session_goes_by_the_next_sweeps(world: World, clock: Clock) -> None:
    snapshot, packs = world.backed_up(1)
    nights = Nights(world, clock)
    nights.sweep()
    late = world.upload_pack(snapshot.id)
    look(world, clock)
    nights.sweep_for(3)
    assert late.name not in there(world, snapshot.id)
    assert there(world, snapshot.id) == {packs[0].name}


def test_leftovers_of_a_removal_that_was_cut_off_are_cleared_away(world: World, clock: Clock) -> None:
    old, packs = world.backed_up(2)
    clock.move((KEPT_DAYS - 1) * DAY)
    world.commit(world.ready(packs[:1]))
    nights = Nights(world, clock)
    nights.sweep_for(3)
    world.put(names.meta_container(world.id), names.refs(old.id), b"left over")
    found = look(world, clock)
    assert (found.strays, found.faults) == (1, ())


def test_a_scrub_finds_a_pack_whose_bytes_are_not_its_name(world: World, clock: Clock) -> None:
    _, packs = world.backed_up(2)
    Nights(world, clock).sweep()
    assert look(world, clock, InspectionKind.SCRUB).faults == ()
    world.put(names.packs_container(world.id), str(packs[0].name), bytes(packs[0].size_bytes))
    found = look(world, clock, InspectionKind.SCRUB)
    assert (found.objects, found.faults) == (2, (f"pack {packs[0].name} is damaged or lost",))
    assert len(incidents_of(world)) == 1


def test_all_accounts_are_listed_window_by_window(world: World) -> None:
    window = inspecting.next_accounts(world.services, NextAccounts(None, 2))
    seen = list(window.accounts)
    while window.last is not None:
        window = inspecting.next_accounts(world.services, NextAccounts(window.last, 2))
        seen += window.accounts
    assert world.id in {key.account for key in seen}
    assert len(seen) == len(set(seen))
