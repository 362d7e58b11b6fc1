"""Nights on the local host: the timers start them by themselves, and each once (the clock is virtual)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localhost.schedule import parse_schedule
from shared.contracts.inspections import instance_of
from shared.contracts.sweep import instance_of_night
from shared.domain.inspections import InspectionKind
from tests.workflows.nights import FAILING, QUIET, SWEPT
from tests.workflows.watched import INSTANCES, Host, running_host
from triggers.timers import MONTHLY

DAY = timedelta(days=1)
ROUND = {"accounts": 3, "failed": 1, "faults": 0, "strays": 0}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A week has passed."""
    with running_host(tmp_path_factory.mktemp("nights")) as host:
        host.live(7.3)
        yield host


@pytest.fixture(scope="module")
def nights(host: Host) -> list[datetime]:
    """The last seven midnights after which it became four o'clock."""
    last = (host.now() - timedelta(hours=4)).replace(hour=0, minute=0, second=0, microsecond=0)
    return [last - n * DAY for n in range(7)]


def instance(host: Host, name: str) -> Any:
    return host.ask("GET", f"{INSTANCES}/{name}")


def test_every_midnight_starts_a_sweep_of_all_accounts(host: Host, nights: list[datetime]) -> None:
    for night in nights:
        swept = instance(host, instance_of_night(night))
        assert swept["output"] == {"accounts": 3, "swept": 2, "failed": 1, "freed_bytes": 128}
        assert datetime.fromisoformat(swept["createdTime"]).replace(tzinfo=UTC, second=0, microsecond=0) == night


def test_an_account_with_work_is_swept_in_a_workflow_of_its_own(host: Host, nights: list[datetime]) -> None:
    swept = instance(host, instance_of_night(nights[0], SWEPT.account))
    assert swept["customStatus"] == {"step": "deleting packs", "done": 1, "of": 2}
    assert swept["output"]["report"]["at"] == f"{nights[0]:%Y-%m-%dT%H:%M:%SZ}"
    failed = instance(host, instance_of_night(nights[0], FAILING.account))
    assert "storage is away" in failed["output"]["failure"]


def test_an_account_without_work_costs_no_workflow(host: Host, nights: list[datetime]) -> None:
    names = {each["instanceId"] for each in host.ask("GET", f"{INSTANCES}?top=1000")}
    assert instance_of_night(nights[0]) in names
    assert not any(QUIET.account in name for name in names if name.startswith("sweep-"))


def test_sundays_at_three_everything_is_reconciled(host: Host, nights: list[datetime]) -> None:
    (sunday,) = (night for night in nights if night.weekday() == 6)
    found = instance(host, instance_of(InspectionKind.RECONCILE, sunday))
    assert (found["output"], datetime.fromisoformat(found["createdTime"]).hour) == (ROUND, 3)


def test_once_a_month_everything_is_scrubbed(host: Host) -> None:
    """By hand: a month of nights would take its time."""
    assert parse_schedule(MONTHLY)(datetime(2026, 11, 1, 4, tzinfo=UTC)) == datetime(2026, 12, 1, 4, tzinfo=UTC)
    host.ask("POST", "/admin/functions/scrub_every_month", {"input": ""})
    host.live(0.1)
    assert instance(host, instance_of(InspectionKind.SCRUB, host.now()))["output"] == ROUND
