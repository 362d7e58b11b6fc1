"""Drills are evidence: of this account's snapshots, by the service's clock, once each."""

from datetime import timedelta

import pytest

from shared.domain.errors import NotFound
from shared.domain.ids import DrillId, SessionId
from shared.operations import drills
from shared.operations.drills import ReportDrill
from tests.conftest import Clock
from tests.operations.world import World


def order(world: World, snapshot: SessionId) -> ReportDrill:
    drill = world.services.new(DrillId)
    return ReportDrill(drill, world.caller, snapshot, True, 10, 5_000, 3_000, seconds=1.25, troubles=0)


def test_a_drill_is_kept_once_with_the_services_time(world: World, clock: Clock) -> None:
    snapshot, _ = world.backed_up()
    told = order(world, snapshot.id)
    kept = drills.report(world.services, told)
    assert (kept.device, kept.reported_at, kept.seconds) == (world.caller.id, clock.at, 1.25)
    clock.move(timedelta(minutes=1))
    assert drills.report(world.services, told) == kept
    assert world.services.drills.page(world.id, limit=10) == [kept]


def test_a_drill_of_a_snapshot_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        drills.report(world.services, order(world, world.services.new(SessionId)))
    assert world.services.drills.page(world.id, limit=10) == []
