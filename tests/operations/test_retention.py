"""Policies and marks against real tables: in one order with commits and sweeps, and safe to repeat."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.commits import Snapshot
from shared.domain.errors import Forbidden, Malformed, NotFound
from shared.domain.ids import CustomerId, HoldId, RestoreId, SessionId, UserId
from shared.domain.marks import SnapshotExpired
from shared.domain.policy_changes import ConfirmationNeeded, Retention
from shared.domain.presets import PRESETS
from shared.domain.retention import Policies, Policy, Verdict
from shared.domain.tenancy import Role, UserCaller
from shared.operations import marking, restores, retention
from shared.operations.marking import Marked
from shared.operations.retention import ChangePolicy
from shared.operations.slots import PreconditionFailed
from shared.services import Services
from shared.storage.tables import Changed
from tests.conftest import Clock
from tests.operations.world import World

ANNA = UserCaller(UserId.of_number(1), CustomerId.of_number(1), Role.ADMIN)
OPERATOR = UserCaller(UserId.of_number(2), None, Role.OPERATOR)
LONGER, SHORTER = Policies(Policy(last=9)), Policies(Policy(keep_within=timedelta(days=1)))
DAY = timedelta(days=1)
SOLD = Policies(PRESETS["netgo-gfs-12m"], {"mail": PRESETS["netgo-gfs-5y"]})


def change(world: World, policies: Policies, *, seen: str | None = None, confirmed: bool = False) -> Retention:
    replaces = retention.etag(retention.read(world.services, world.id)) if seen is None else seen
    order = ChangePolicy(world.id, policies, ANNA.id, replaces, world.id if confirmed else None)
    return retention.change(world.services, order)


def expire(world: World, snapshot: Snapshot) -> Snapshot:
    """What a sweep writes."""
    stored = world.services.vaults.stored_snapshot(world.id, snapshot.id)
    assert stored is not None
    expired = replace(stored.value, expired_at=world.services.now())
    world.services.vaults.mark(world.state(), stored, expired)
    return expired


def named(world: World, snapshot: Snapshot) -> Marked:
    return Marked(world.id, snapshot.id)


def there(world: World, snapshot: Snapshot) -> Snapshot | None:
    return world.services.vaults.snapshot(world.id, snapshot.id)


def test_a_longer_policy_acts_at_once_and_is_read_with_the_vault(world: World) -> None:
    done = change(world, LONGER)
    rows = world.services.vaults.rows(world.id)
    assert rows is not None
    assert rows.retention is not None
    assert done == rows.retention.value == retention.read(world.services, world.id)
    assert (done.policies, done.changed_by, done.pending) == (LONGER, ANNA.id, None)


def test_a_shorter_policy_wants_the_account_s_name_and_waits_a_day(world: World, clock: Clock) -> None:
    with pytest.raises(ConfirmationNeeded):
        change(world, SHORTER)
    assert retention.read(world.services, world.id) == Retention(world.id)
    change(world, SHORTER, confirmed=True)
    assert retention.read(world.services, world.id).policies == Policies()
    clock.move(DAY)
    assert retention.read(world.services, world.id).policies == SHORTER


def test_a_shortening_that_was_called_off_never_acts(world: World, clock: Clock) -> None:
    change(world, SHORTER, confirmed=True)
    assert retention.call_off(world.services, world.id).pending is None
    clock.move(2 * DAY)
    assert retention.read(world.services, world.id).policies == Policies()


def test_nobody_overwrites_a_policy_they_have_not_seen(world: World) -> None:
    seen = retention.etag(retention.read(world.services, world.id))
    change(world, LONGER)
    with pytest.raises(PreconditionFailed):
        change(world, SOLD, seen=seen)
    assert change(world, LONGER, seen=seen).policies == LONGER, "the answer to the first try was lost"


def test_a_policy_comes_into_one_order_with_sweeps(world: World) -> None:
    state, stored = world.state(), world.services.vaults.retention(world.id)
    world.touch()
    with pytest.raises(Changed):
        world.services.vaults.change_retention(state, stored, Retention(world.id, LONGER))


def test_simulating_changes_nothing_and_tells_what_would_be(world: World, clock: Clock) -> None:
    first, _ = world.backed_up()
    clock.move(2 * DAY)
    second, _ = world.backed_up()
    before = retention.read(world.services, world.id), list(world.services.vaults.snapshots(world.id))
    _, found = retention.simulate(world.services, world.id, SHORTER, None)
    assert [(each.snapshot.id, each.judgement.verdict) for each in found] == [
        (second.id, Verdict.KEEP),
        (first.id, Verdict.EXPIRE),
    ]
    later = world.services.now() + 20 * DAY
    at, found = retention.simulate(world.services, world.id, None, later)
    assert at == later
    assert [each.judgement.reasons for each in found] == [("newest of device",), ("older than 14 days",)]
    with pytest.raises(Malformed, match="past"):
        retention.simulate(world.services, world.id, None, world.services.now() - DAY)
    assert (retention.read(world.services, world.id), list(world.services.vaults.snapshots(world.id))) == before


def test_a_simulation_of_later_heeds_the_change_that_waits(world: World, clock: Clock) -> None:
    world.backed_up()
    clock.move(2 * DAY)
    world.backed_up()
    change(world, SHORTER, confirmed=True)
    for at, expected in ((world.services.now(), 0), (world.services.now() + DAY, 1)):
        _, found = retention.simulate(world.services, world.id, None, at)
        assert [each.judgement.verdict for each in found].count(Verdict.EXPIRE) == expected


def test_a_revoked_device_keeps_nothing_for_being_its_newest(world: World, services: Services, clock: Clock) -> None:
    snapshot, _ = world.backed_up()
    clock.move(30 * DAY)
    assert retention.explain(services, world.id, snapshot.id).judgement.reasons == ("newest of device",)
    row = services.devices.get(world.id, world.caller.id)
    assert row is not None
    services.devices.replace(row, replace(row.value, state=type(row.value.state).REVOKED))
    assert retention.explain(services, world.id, snapshot.id).judgement.verdict is Verdict.EXPIRE
    with pytest.raises(NotFound):
        retention.explain(services, world.id, services.new(SessionId))


def test_a_commit_tells_the_backup_set(world: World) -> None:
    assert world.commit(replace(world.ready(), backup_set="mail")).backup_set == "mail"
    assert world.commit(world.ready()).backup_set == ""


def test_an_expired_snapshot_is_not_restored_until_it_is_taken_back(world: World) -> None:
    snapshot, _ = world.backed_up()
    expire(world, snapshot)
    order = restores.OpenRestore(world.services.new(RestoreId), world.account, snapshot.id, world.caller)
    with pytest.raises(SnapshotExpired, match="taken back until"):
        restores.open_restore(world.services, order)
    for _ in range(2):
        back = marking.take_back(world.services, named(world, snapshot))
        assert (back.expired_at, back.pinned) == (None, True)
    assert restores.open_restore(world.services, order).restore.snapshot == snapshot.id


def test_after_the_grace_it_is_too_late(world: World, clock: Clock) -> None:
    snapshot, _ = world.backed_up()
    expired = expire(world, snapshot)
    clock.move(DAY)
    with pytest.raises(SnapshotExpired, match="over"):
        marking.take_back(world.services, named(world, snapshot))
    assert there(world, snapshot) == expired


def test_taking_back_comes_into_one_order_with_the_sweep_that_removes(world: World) -> None:
    snapshot, _ = world.backed_up()
    expire(world, snapshot)
    state, stored = world.state(), world.services.vaults.stored_snapshot(world.id, snapshot.id)
    assert stored is not None
    marking.take_back(world.services, named(world, snapshot))
    with pytest.raises(Changed):
        world.services.vaults.mark(state, stored, stored.value)


def test_holds_come_from_both_sides_and_each_releases_its_own(world: World) -> None:
    snapshot, _ = world.backed_up()
    mine, theirs = (world.services.new(HoldId) for _ in range(2))
    marking.hold(world.services, named(world, snapshot), mine, "tax audit", ANNA)
    held = marking.hold(world.services, named(world, snapshot), theirs, "file 7", OPERATOR)
    assert marking.hold(world.services, named(world, snapshot), mine, "said again", ANNA) == held
    assert [(h.id, h.reason, h.by, h.by_provider) for h in held.holds] == [
        (mine, "tax audit", ANNA.id, False),
        (theirs, "file 7", OPERATOR.id, True),
    ]
    assert there(world, snapshot) == held
    with pytest.raises(Forbidden):
        marking.release(world.services, named(world, snapshot), theirs, ANNA)
    marking.release(world.services, named(world, snapshot), theirs, OPERATOR)
    assert marking.release(world.services, named(world, snapshot), mine, ANNA) == snapshot


def test_pins_come_and_go_and_are_safe_to_repeat(world: World) -> None:
    snapshot, _ = world.backed_up()
    for _ in range(2):
        assert marking.pin(world.services, named(world, snapshot)).pinned
    for _ in range(2):
        assert marking.unpin(world.services, named(world, snapshot)) == snapshot
    with pytest.raises(NotFound):
        marking.pin(world.services, Marked(world.id, world.services.new(SessionId)))
