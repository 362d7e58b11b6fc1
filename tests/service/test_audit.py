"""The audit log over HTTP: every privileged act is in it, also a refused one, and it can be checked (G6, G9)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.client import Client
from tests.service.people import Customer, Service
from tests.service.places import Place, settle


@pytest.fixture
def newly(service: Service, operator: Client) -> Customer:
    """A customer whose log no other test writes to."""
    return service.customer(operator)


@pytest.fixture(scope="module")
def place(service: Service, operator: Client) -> Place:
    customer = service.customer(operator)
    return settle(service, customer, customer.user("admin").log_in())


def acts(client: Client, **query: str | int) -> list[tuple[str, str, str]]:
    items = client.get("/audit", limit=1000, **query).made(200)["items"]
    return [(item["deed"], item["actor"], item["outcome"]) for item in items]


def test_what_was_set_up_for_a_customer_is_in_its_log(operator: Client, newly: Customer) -> None:
    newly.user("admin")
    items = operator.get(f"/customers/{newly.id}/audit").made(200)["items"]
    assert {item["deed"] for item in items} >= {"user.create"}
    assert all(item["actor"].startswith("user ") for item in items)
    assert [item["number"] for item in items] == list(range(1, len(items) + 1))


def test_opening_a_restore_leaves_a_record_with_who_and_what(place: Place) -> None:
    restore = place.client.post(f"/accounts/{place.account}/restores", {}).made()["id"]
    items = place.admin.get("/audit", deed="restore.open", limit=1000).made(200)["items"]
    mine = [item for item in items if item["subject"] == f"/accounts/{place.account}/restores/{restore}"]
    assert [item["actor"] for item in mine] == [f"device {place.device.id}"]


def test_a_refused_act_is_recorded_as_refused(place: Place) -> None:
    place.client.post(f"/accounts/{place.account}/devices", {}).refused(403, "forbidden")
    assert ("device.register", f"device {place.device.id}", "forbidden") in acts(place.admin, deed="device.register")


def test_address_and_instruction_are_recorded(operator: Client, newly: Customer) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7", "Hort-Instruction": "mail of 3 March"}
    operator.call("POST", f"/customers/{newly.id}/accounts", {"name": "N"}, headers).made()
    last = operator.get(f"/customers/{newly.id}/audit", deed="account.create").made(200)["items"][-1]
    assert (last["address"], last["instruction"]) == ("192.0.2.7", "mail of 3 March")


def test_the_chain_verifies_from_outside(place: Place, operator: Client) -> None:
    mine = place.admin.get("/audit/verify").made(200)
    theirs = operator.get(f"/customers/{place.customer.id}/audit/verify").made(200)
    assert mine["sound"]
    assert theirs["sound"]
    assert theirs["records"] >= mine["records"] > 0


def test_a_filter_that_makes_no_sense_is_named(place: Place) -> None:
    place.admin.get("/audit", deed="theft").refused(400, "invalid-request", "deed")
    place.admin.get("/audit", after="x").refused(400, "invalid-request", "after")


def test_pages_of_the_log_leave_nothing_out(place: Place) -> None:
    whole = [item["number"] for item in place.admin.get("/audit", limit=1000).made(200)["items"]]
    found: list[int] = []
    after = ""
    while after is not None and len(found) < len(whole):
        page = place.admin.get("/audit", limit=2, after=after).made(200)
        found += [item["number"] for item in page["items"]]
        after = page["next"]
    assert found[: len(whole)] == whole


def test_one_customer_never_reads_anothers_log(service: Service, operator: Client, place: Place) -> None:
    other = service.customer(operator).user("admin").log_in()
    assert not [item for item in other.get("/audit").made(200)["items"] if place.account in item["subject"]]


def exported(client: Client, **query: str | int) -> list[bytes]:
    """Page after page, as `Link` leads."""
    answer, pages = client.get("/audit/export", **query), list[bytes]()
    while True:
        assert (answer.status, answer.kind) == (200, "application/x-ndjson")
        pages.append(answer.data)
        if "Link" not in answer.headers:
            return pages
        where = re.fullmatch(r'<(\?[^>]*)>; rel="next"', answer.headers["Link"])
        assert where
        answer = client.get(f"/audit/export{where[1]}")


def checked(lines: bytes) -> subprocess.CompletedProcess[bytes]:
    """What the program in the docs says to an export."""
    program = re.search(r"```python\n(.*?)```", Path("docs/audit.md").read_text(), re.DOTALL)
    assert program
    return subprocess.run([sys.executable, "-c", program[1]], input=lines, capture_output=True)


def test_an_export_is_checked_without_the_service(place: Place, operator: Client, service: Service) -> None:
    headers = {"Hort-Instruction": "Auftrag von Frau M\u00fcller"}
    body = {"note": "lost in the train"}
    path = f"/customers/{place.customer.id}/accounts/{place.customer.account()}/lock"
    operator.call("POST", path, body, {k: v.encode().decode("latin-1") for k, v in headers.items()}).made(200)
    pages = exported(place.admin, limit=5)
    whole = b"".join(pages)
    assert len(pages) > 1
    anchor = place.admin.get("/audit/anchor").made(200)
    known = json.loads(whole.splitlines()[-1])
    verdict = checked(whole)
    assert verdict.stdout.split() == [str(known["number"]).encode(), known["hash"].encode()]
    assert place.admin.get("/audit/verify", records=known["number"], head=known["hash"]).made(200)["sound"]
    assert place.admin.get("/audit/verify", records=anchor["records"], head=anchor["head"]).made(200)["sound"]
    lines = whole.splitlines(keepends=True)
    for harmed in (lines[1:], [*lines[:3], *lines[4:]], [lines[1], lines[0]], [lines[0].replace(b"done", b"gone")]):
        assert b"changed, moved or removed" in checked(b"".join(harmed)).stderr


def test_an_anchor_of_another_chain_does_not_fit(place: Place) -> None:
    verdict = place.admin.get("/audit/verify", records=2, head="a" * 64).made(200)
    assert (verdict["sound"], verdict["broken_at"]) == (False, 2)
    place.admin.get("/audit/verify", records=2).refused(400, "invalid-request", "head")
    place.admin.get("/audit/verify", records="x", head="a" * 64).refused(400, "invalid-request", "records")


def test_an_export_takes_the_filters_of_the_list(place: Place) -> None:
    listed = place.admin.get("/audit", deed="restore.open", limit=1000).made(200)["items"]
    answer = place.admin.get("/audit/export", deed="restore.open", limit=1000)
    assert answer.json == listed
    place.admin.get("/audit/export", deed="theft").refused(400, "invalid-request", "deed")
