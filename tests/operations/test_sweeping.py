"""The sweep's steps on real storage: what goes, what stays, and that the next step repairs what a crash left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shared.contracts.sweep import DeletePacks, ReportSweep, SweepAccount
from shared.domain.deletions import Kind, SweepReport
from shared.domain.ids import PackName, SessionId
from shared.domain.sessions import SessionState
from shared.format import names
from shared.format.refs import PackRef
from shared.operations import clearing, marking, sessions, surveying, sweeping
from shared.operations.commits import PacksMissing
from shared.operations.marking import Marked
from shared.storage.tables import Remove
from shared.storage.vaults import SNAPSHOTS
from tests.conftest import Clock
from tests.operations.world import World, refused_as_it_was

DAY = timedelta(days=1)
KEPT_DAYS = 14


@dataclass(slots=True)
class Nights:
    """An account's nights, one after the other."""

    world: World
    clock: Clock

    def sweep(self) -> SweepReport:
        """The steps in the order of the workflow."""
        order = self.order()
        self.delete()
        sweeping.expire_snapshots(self.world.services, order)
        sweeping.doom_packs(self.world.services, order)
        self.delete()
        skipped = sweeping.condemn_packs(self.world.services, order).skipped
        clearing.clear_sessions(self.world.services, order)
        told = () if skipped is None else (skipped,)
        return clearing.report_sweep(self.world.services, ReportSweep(self.world.id, order.at, told))

    def order(self) -> SweepAccount:
        return SweepAccount(self.world.account.customer, self.world.id, self.clock.at)

    def delete(self) -> None:
        step = sweeping.delete_packs(self.world.services, DeletePacks(self.world.id))
        while step.packs is not None:
            step = sweeping.delete_packs(self.world.services, DeletePacks(self.world.id, step.packs, step.after))

    def pass_days(self, days: float) -> datetime:
        return self.clock.move(days * DAY)

    def sweep_for(self, nights: int) -> list[SweepReport]:
        reports = list[SweepReport]()
        for _ in range(nights):
            self.pass_days(1)
            reports.append(self.sweep())
        return reports


@pytest.fixture
def nights(world: World, clock: Clock) -> Nights:
    return Nights(world, clock)


def there(world: World, session: SessionId) -> set[PackName]:
    return {pack for pack, _ in world.services.vault_blobs.packs_of(world.id, session)}


def meta_there(world: World, session: SessionId) -> set[str]:
    prefixes = (f"index/{session}/", names.head(session), names.refs(session))
    return set(world.services.vault_blobs.meta_sizes(world.id, prefixes))


def names_of(packs: Iterable[PackRef]) -> set[PackName]:
    return {pack.name for pack in packs}


def test_an_unneeded_snapshot_goes_in_three_nights_and_everything_of_it(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(3)
    nights.pass_days(KEPT_DAYS - 1)
    nights.sweep()
    assert world.services.vaults.snapshot(world.id, old.id) == old, "within the fourteen days nothing goes"
    world.backed_up(1)
    expired, removed, deleted, after = nights.sweep_for(4)
    assert (expired.expired, removed.removed, removed.condemned_packs) == (1, 1, 3)
    assert (deleted.deleted_packs, deleted.freed_bytes) == (3, sum(p.size_bytes for p in packs))
    assert there(world, old.id) == set()
    assert meta_there(world, old.id) == set()
    assert world.services.vaults.session(world.id, old.id) is None
    assert after == SweepReport(world.id, nights.clock.at)


def test_the_deletion_log_says_what_went_and_why(world: World, nights: Nights) -> None:
    old, _ = world.backed_up(2)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(4)
    log = list(world.services.deletions.all(world.id))
    assert [(entry.kind, entry.objects) for entry in log] == [(Kind.SNAPSHOT, 1), (Kind.PACKS, 2), (Kind.SESSION, 0)]
    assert log[0].name == old.id
    assert "expired at" in log[0].reason


def test_packs_that_a_younger_snapshot_needs_stay(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(3)
    nights.pass_days(KEPT_DAYS - 1)
    young = world.commit(world.ready(packs[:2]))
    nights.sweep_for(4)
    assert there(world, old.id) == names_of(packs[:2])
    assert meta_there(world, old.id) == {f"index/{old.id}/0"}, "the index stays as long as a pack does"
    opened = sessions.open_session(world.services, world.caller, world.services.new(SessionId))
    assert {live.session for live in opened.live_indexes} == {old.id, young.id}
    assert opened.do_not_reuse == {packs[2].name}, "the index still tells of it, and it is gone"


def test_a_condemned_pack_is_deleted_only_after_a_day_of_grace(world: World, nights: Nights) -> None:
    old, _ = world.backed_up(1)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(2)
    nights.pass_days(0.9)
    assert "in grace" in nights.sweep().skipped[0]
    assert there(world, old.id) != set()
    nights.pass_days(0.1)
    assert nights.sweep().deleted_packs == 1


def test_a_condemned_pack_waits_for_a_session_that_was_opened_before(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(1)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(1)
    nights.pass_days(1)
    running = world.open()
    nights.sweep()
    for _ in range(5):
        nights.pass_days(0.24)
        sessions.renew(world.services, world.caller, running)
    assert f"session {running}" in nights.sweep().skipped[0]
    snapshot = world.commit(world.order(running, world.refs(running, packs, [world.upload_meta(running)])))
    assert snapshot.resurrected == 1
    nights.sweep_for(2)
    assert there(world, old.id) == names_of(packs)


def test_a_session_that_ran_out_is_fenced_and_what_it_uploaded_goes_a_day_later(world: World, nights: Nights) -> None:
    order = world.ready(own=2)
    nights.pass_days(1)
    nights.sweep()
    assert world.session(order.session).state is SessionState.FENCED
    assert len(there(world, order.session)) == 2, "a grant that is alive might still write"
    (report,) = nights.sweep_for(1)
    assert report.deleted_packs == 2
    assert (there(world, order.session), meta_there(world, order.session)) == (set(), set())
    assert world.services.vaults.session(world.id, order.session) is None


def test_a_held_snapshot_and_its_packs_stay_for_years(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(2)
    marking.pin(world.services, Marked(world.id, old.id))
    for _ in range(4):
        nights.pass_days(200)
        world.backed_up(1)
        nights.sweep()
    assert there(world, old.id) == names_of(packs)
    assert world.services.vaults.snapshot(world.id, old.id) is not None


def test_a_snapshot_that_was_taken_back_is_whole(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(2)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(1)
    nights.pass_days(0.9)
    marking.take_back(world.services, Marked(world.id, old.id))
    nights.sweep_for(4)
    assert there(world, old.id) == names_of(packs)
    assert meta_there(world, old.id) == {f"index/{old.id}/0", names.head(old.id), names.refs(old.id)}


def test_an_agent_that_counts_on_what_is_being_deleted_is_told_which_packs(world: World, nights: Nights) -> None:
    _, packs = world.backed_up(1)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(2)
    nights.pass_days(1)
    order = world.ready(packs)  # it was told not to
    assert sweeping.doom_packs(world.services, nights.order()).packs == 1
    missing = refused_as_it_was(world, order, PacksMissing, "being deleted")
    assert isinstance(missing, PacksMissing)
    assert missing.packs == (packs[0].name,)


def test_the_second_mark_spares_what_a_faulty_first_one_condemned(world: World, nights: Nights) -> None:
    _, packs = world.backed_up(2)
    nights.sweep()
    world.condemn(pack.name for pack in packs)
    nights.pass_days(1)
    assert sweeping.doom_packs(world.services, nights.order()).spared == 2
    assert world.state().value.condemned == ()
    assert world.state().value.deleting is None


def test_every_step_delivered_twice_is_done_once(world: World, nights: Nights) -> None:
    old, _ = world.backed_up(2)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    for _ in range(4):
        nights.pass_days(1)
        order = nights.order()
        for step in (sweeping.expire_snapshots, sweeping.doom_packs, sweeping.condemn_packs, clearing.clear_sessions):
            step(world.services, order)
            step(world.services, order)
            nights.delete()
            nights.delete()
    assert there(world, old.id) == set()
    assert [entry.kind for entry in world.services.deletions.all(world.id)] == [Kind.SNAPSHOT, Kind.PACKS, Kind.SESSION]


def test_a_lost_catalogue_is_made_anew(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(2)
    nights.pass_days(KEPT_DAYS - 1)
    world.commit(world.ready(packs[:1]))
    nights.sweep()
    lost = f"{world.id}/{world.state().value.catalogue}"
    world.services.catalogues.container.delete_blob(lost)
    nights.sweep_for(4)
    assert there(world, old.id) == {packs[0].name}


def test_a_large_deletion_goes_window_by_window(world: World, nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PACKS_A_CALL", 2)
    old, _ = world.backed_up(5)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(2)
    nights.pass_days(1)
    sweeping.doom_packs(world.services, nights.order())
    first = sweeping.delete_packs(world.services, DeletePacks(world.id))
    assert (first.done, first.of) == (2, 5)
    assert sweeping.delete_packs(world.services, DeletePacks(world.id, "another set", "")).packs is None
    nights.delete()
    assert there(world, old.id) == set()


def test_a_blob_snapshot_that_a_stolen_grant_took_keeps_no_pack_alive(world: World, nights: Nights) -> None:
    old, packs = world.backed_up(1)
    container = names.packs_container(world.id)
    world.services.vault_blobs.client.get_blob_client(container, str(packs[0].name)).create_snapshot()
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(4)
    client = world.services.vault_blobs.client.get_container_client(container)
    assert list(client.list_blobs(name_starts_with=f"{old.id}/", include=["snapshots"])) == []


def test_lost_refs_stop_the_mark_and_nothing_is_condemned(world: World, nights: Nights) -> None:
    old, _ = world.backed_up(1)
    kept, _ = world.backed_up(1)
    marking.pin(world.services, Marked(world.id, kept.id))
    world.services.vault_blobs.delete_meta(world.id, [names.refs(kept.id)])
    nights.pass_days(KEPT_DAYS)
    nights.sweep()
    reports = nights.sweep_for(3)
    assert all(f"refs of snapshot {kept.id} are lost" in report.skipped[0] for report in reports)
    assert there(world, old.id) != set()


def test_an_account_where_nothing_changed_has_no_work(world: World, nights: Nights) -> None:
    assert not surveying.has_work(world.services, world.id, nights.clock.at), "an empty vault"
    world.backed_up(1)
    assert surveying.has_work(world.services, world.id, nights.clock.at)
    nights.sweep()
    assert not surveying.has_work(world.services, world.id, nights.pass_days(1))
    world.ready()
    assert not surveying.has_work(world.services, world.id, nights.clock.at), "it still runs"
    assert surveying.has_work(world.services, world.id, nights.pass_days(1)), "it ran out"


def test_after_the_last_deletion_an_account_is_at_rest(world: World, nights: Nights) -> None:
    world.backed_up(1)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.sweep_for(4)
    assert not surveying.has_work(world.services, world.id, nights.clock.at)


def test_a_snapshot_that_came_and_went_between_two_marks_leaves_nothing(world: World, nights: Nights) -> None:
    world.backed_up(1)
    nights.sweep()
    young, _ = world.backed_up(1)
    row = world.services.vaults.stored_snapshot(world.id, young.id)
    assert row is not None
    world.services.vaults.write(world.state(), world.state().value, [Remove(SNAPSHOTS.to_entity(young), row.etag)])
    assert surveying.has_work(world.services, world.id, nights.clock.at)
    nights.sweep_for(2)
    assert there(world, young.id) == set()


def test_a_sweep_that_comes_late_cuts_nobodys_day_short(world: World, nights: Nights) -> None:
    old, _ = world.backed_up(1)
    nights.pass_days(KEPT_DAYS - 1)
    world.backed_up(1)
    nights.pass_days(1)
    order = nights.order()
    now = nights.pass_days(0.9)
    sweeping.expire_snapshots(world.services, order)
    expired = world.services.vaults.snapshot(world.id, old.id)
    assert expired is not None
    assert expired.take_back_until == now + DAY


def test_a_report_is_written_once(world: World, nights: Nights) -> None:
    world.backed_up(1)
    first = nights.sweep()
    again = ReportSweep(world.id, first.at, ("something else",))
    assert clearing.report_sweep(world.services, again) == first
