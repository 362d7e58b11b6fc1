"""Sweeps over HTTP: an operator starts one, the customer reads what went and why, and nobody reads another's."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest

from shared.domain.deletions import Deletion, Kind, SweepReport
from shared.domain.ids import AccountId
from shared.domain.inspections import Inspection, InspectionKind
from shared.services import Services
from tests.service.client import Client
from tests.service.people import Customer, Device, Service, register
from tests.service.vault import back_up

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECONDS = 30
TIMES = {"sweep-reports": "at", "deletions": "due_at", "inspections": "at"}
"""What each list is ordered by."""
LISTS = tuple(TIMES)
FIGURES = ("expired", "removed", "condemned_packs", "resurrected_packs", "deleted_packs", "freed_bytes")


@dataclass(frozen=True, slots=True)
class House:
    """An account of a customer's, and who looks after it."""

    customer: Customer
    admin: Client
    device: Device

    @property
    def path(self) -> str:
        return f"/customers/{self.customer.id}/accounts/{self.device.account}"

    @property
    def operator(self) -> Client:
        return self.customer.operator

    def swept(self) -> Any:
        """How it stands when the sweep that runs has ended."""
        deadline = time.monotonic() + SECONDS
        while (found := self.admin.get(f"{self.path}/sweep").made(200))["running"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def page(self, name: str, **query: str | int) -> tuple[list[Any], str | None]:
        answer = self.admin.get(f"{self.path}/{name}", **query).made(200)
        return answer["items"], answer["next"]


@pytest.fixture(scope="module")
def house(service: Service, customer: Customer, admin_client: Client) -> House:
    return House(customer, admin_client, register(service, admin_client, customer.account()))


@pytest.fixture(scope="module")
def written(service: Service, house: House) -> House:
    """Four of each, which nights long ago left behind."""
    services, account = Services(service.stack.settings), AccountId.parse(house.device.account)
    for day in range(4):
        at = START + day * DAY
        services.sweeps.insert(SweepReport(account, at, deleted_packs=day, skipped=("in grace",)))
        services.deletions.insert(Deletion(account, at, Kind.PACKS, f"{day:064x}", day, 10 * day, "unneeded"))
        services.inspections.insert(Inspection(account, at, InspectionKind.SCRUB, day, 10 * day, faults=("lost",)))
    return house


def test_an_operator_starts_a_sweep_and_its_report_is_there(house: House, written: House) -> None:
    back_up(house.device)
    begun = house.operator.post(f"{house.path}/sweep").made(202)
    assert begun["account"] == house.device.account
    ended = house.swept()
    assert (ended["running"], ended["step"], ended["done"], ended["of"]) == (False, None, 0, 0)
    report = ended["latest"]
    assert abs(datetime.fromisoformat(report["at"]) - house.device.service.now()) < timedelta(minutes=5)
    assert [report[name] for name in FIGURES] == [0] * len(FIGURES), "all of it is needed"
    assert (report["account"], report["skipped"]) == (house.device.account, [])
    assert house.page("sweep-reports", limit=1)[0] == [report], "the latest comes first"


def test_a_sweep_by_hand_is_on_record_with_its_reason(house: House) -> None:
    instructed = {"Hort-Instruction": "ticket 4711"}
    house.operator.call("POST", f"{house.path}/sweep", None, instructed).made(202)
    house.swept()
    (record,) = house.admin.get("/audit", deed="sweep.start", limit=1000).made(200)["items"][-1:]
    assert (record["outcome"], record["instruction"]) == ("done", "ticket 4711")


def test_the_customer_s_administrator_reads_and_starts_nothing(written: House) -> None:
    written.admin.post(f"{written.path}/sweep").refused(403, "forbidden")
    for name in ("sweep", *LISTS):
        written.admin.get(f"{written.path}/{name}").made(200)


def test_a_locked_account_is_not_swept(house: House) -> None:
    """Somebody may have let snapshots expire who should not: it keeps all it has (N16)."""
    account = house.customer.account()
    path = f"/customers/{house.customer.id}/accounts/{account}"
    house.admin.post(f"{path}/lock", {}).made(200)
    house.operator.post(f"{path}/sweep").refused(403, "account-locked")
    found = house.operator.get(f"{path}/sweep").made(200)
    assert (found["running"], found["latest"]) == (False, None)


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("name", LISTS)
def test_pages_of_any_size_hold_everything_once_and_in_order(written: House, name: str, limit: int) -> None:
    whole, end = written.page(name, limit=1000)
    assert end is None
    assert len(whole) >= 4
    assert whole == sorted(whole, key=itemgetter(TIMES[name]), reverse=name != "deletions")
    found, after = written.page(name, limit=limit)
    while after:
        more, after = written.page(name, limit=limit, after=after)
        assert len(more) <= limit
        found += more
    assert found == whole


def test_what_was_written_is_what_is_read(written: House) -> None:
    at = f"{START + 3 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    (report, entry, look) = (next(item for item in written.page(name)[0] if item[TIMES[name]] == at) for name in LISTS)
    assert (report["deleted_packs"], report["skipped"]) == (3, ["in grace"])
    assert (entry["kind"], entry["objects"], entry["stored_bytes"], entry["reason"]) == ("packs", 3, 30, "unneeded")
    assert (look["kind"], look["objects"], look["strays"], look["faults"]) == ("scrub", 3, 0, ["lost"])


@pytest.mark.parametrize(
    "after",
    ["'", "' or 1 eq 1 or '", "0", "~", "\x00", "2026-03-01T00:00:00", "2026-03-01", "z" * 26, "9" * 19, "\u0661" * 18],
)
@pytest.mark.parametrize("name", LISTS)
def test_what_is_no_cursor_of_the_list_is_refused(written: House, name: str, after: str) -> None:
    written.admin.get(f"{written.path}/{name}", after=after).refused(400, "invalid-request", "after")


def test_a_cursor_of_one_list_is_none_of_another(written: House) -> None:
    cursors = {name: written.page(name, limit=1)[1] for name in LISTS}
    written.admin.get(f"{written.path}/deletions", after=str(cursors["sweep-reports"])).refused(
        400, "invalid-request", "after"
    )
    written.admin.get(f"{written.path}/inspections", after=str(cursors["deletions"])).refused(
        400, "invalid-request", "after"
    )


@pytest.mark.parametrize("name", LISTS)
def test_a_limit_that_is_none_is_refused(written: House, name: str) -> None:
    for limit in ("0", "1001", "two"):
        written.admin.get(f"{written.path}/{name}", limit=limit).refused(400, "invalid-request", "limit")
