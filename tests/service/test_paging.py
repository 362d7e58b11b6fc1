"""Lists in pages: complete, in order, each thing once, also while others are added."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.service.client import Client
from tests.service.people import Customer, Device, Service, register
from tests.service.vault import back_up, begin


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with at least four things in it, and how to add one more; `names` tells how an item is called."""

    client: Client
    path: str
    add: Callable[[], object]
    names: str = "id"

    def page(self, **query: str | int) -> tuple[list[str], str | None]:
        answer = self.client.get(self.path, **query).made(200)
        return [item[self.names] for item in answer["items"]], answer["next"]

    def walk(self, limit: int) -> list[str]:
        found, after = self.page(limit=limit)
        while after:
            more, after = self.page(limit=limit, after=after)
            assert len(more) <= limit
            found += more
        return found


@pytest.fixture(scope="module")
def listings(service: Service, operator: Client) -> dict[str, Listing]:
    customer = service.customer(operator)
    admin = customer.user().log_in()
    account = customer.account()
    device = register(service, admin, account)
    client = device.log_in()
    session = begin(device, client)
    codes = f"/accounts/{account}/enrolment-codes"
    return {
        "customers": Listing(operator, "/customers", lambda: service.customer(operator)),
        "accounts": Listing(admin, "/accounts", customer.account),
        "devices": Listing(admin, f"/accounts/{account}/devices", lambda: register(service, admin, account)),
        "snapshots": Listing(client, f"/accounts/{account}/snapshots", lambda: back_up(device, client=client)),
        "codes": Listing(admin, codes, lambda: admin.post(codes)),
        "charges": Listing(
            operator, f"/customers/{customer.id}/charges", lambda: register(service, admin, account), "certificate"
        ),
        "incidents": Listing(admin, f"/customers/{customer.id}/incidents", lambda: lock_one(customer)),
        "packs": Listing(client, f"{session.path}/packs", Packs(session.put_pack), "pack"),
    }


def lock_one(customer: Customer) -> None:
    customer.operator.post(f"/customers/{customer.id}/accounts/{customer.account()}/lock", {}).made(200)


@dataclass
class Packs:
    put: Callable[[bytes], object]
    count: int = 0

    def __call__(self) -> object:
        self.count += 1
        return self.put(f"pack {self.count}".encode())


KINDS = ["customers", "accounts", "devices", "snapshots", "codes", "charges", "incidents", "packs"]


@pytest.fixture(params=KINDS)
def listing(request: pytest.FixtureRequest, listings: dict[str, Listing]) -> Listing:
    found = listings[request.param]
    while len(found.walk(1000)) < 4:
        found.add()
    return found


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_any_size_hold_everything_once_and_in_order(listing: Listing, limit: int) -> None:
    whole, end = listing.page(limit=1000)
    assert end is None
    assert whole == sorted(set(whole))
    assert listing.walk(limit) == whole


def test_a_page_that_ends_with_the_list_leads_to_an_empty_one_at_most(listing: Listing) -> None:
    whole, _ = listing.page(limit=1000)
    _, after = listing.page(limit=len(whole))
    assert after is None or listing.page(after=after, limit=5) == ([], None)


def test_what_is_added_meanwhile_disturbs_no_page(listing: Listing) -> None:
    before, _ = listing.page(limit=1000)
    found, after = listing.page(limit=2)
    while after:
        if len(found) <= 4:
            listing.add()
        more, after = listing.page(limit=2, after=after)
        found += more
    assert found == sorted(set(found))
    assert set(before) <= set(found)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "two", "1.5", "", " ", "1e2", "+5", "0x10", "\u00b2", "9" * 5000])
def test_a_limit_that_is_none_is_refused(listing: Listing, limit: str) -> None:
    listing.client.get(listing.path, limit=limit).refused(400, "invalid-request", "limit")


def test_past_the_end_there_is_nothing(listing: Listing) -> None:
    assert listing.page(after="z" * 26) == ([], None)


@pytest.mark.parametrize(
    "after", ["'", "' or 1 eq 1 or '", "\u0000", "\n", "\u00ff", "\U0001f600", "%", "x" * 5000, "~", "\x7f"]
)
def test_a_cursor_of_nonsense_breaks_nothing(listing: Listing, after: str) -> None:
    whole, _ = listing.page(limit=1000)
    found, _ = listing.page(after=after, limit=1000)
    assert set(found) <= set(whole)


def test_a_cursor_leads_out_of_no_tenant(customer: Customer, service: Service, operator: Client) -> None:
    """Cursors are row keys: one that sorts before or behind another tenant's rows must not show them."""
    admin = customer.user().log_in()
    mine, theirs = customer.account(), service.customer(operator).account()
    for after in (theirs, "0", "snapshot-", "session-", "state"):
        found = {item["id"] for item in admin.get("/accounts", after=after).made(200)["items"]}
        assert theirs not in found
        assert admin.get(f"/accounts/{mine}/snapshots", after=after).made(200)["items"] == []


def test_the_list_of_snapshots_holds_no_sessions(device: Device) -> None:
    done = back_up(device)
    begin(device, done.client)
    path = f"/accounts/{device.account}/snapshots"
    assert [snapshot["id"] for snapshot in done.client.get(path).made(200)["items"]] == [done.id]
    assert done.client.get(path, after=done.id).made(200)["items"] == []
