"""Who may do what with whose things: every route, every caller, against a table written by hand."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.tenancy import Role
from tests.certificates import csr
from tests.service.client import Answer, Client
from tests.service.forms import DRILL
from tests.service.people import Service, register
from tests.service.places import RECOVERY_ETAG, Place, settle
from tests.service.vault import begin

# Columns: nobody, operator, and what admin, member and device get for a thing in their own account, in another
# account of the same customer, and in an account of another customer.
MATRIX = """
route                                              | no  op  | admin       | member      | device
POST /token                                        | 400 400 | 400 400 400 | 400 400 400 | 400 400 400
GET  /jwks                                         | 200 200 | 200 200 200 | 200 200 200 | 200 200 200
POST /customers                                    | 401 201 | 403 403 403 | 403 403 403 | 403 403 403
GET  /customers                                    | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
POST /customers/{customer}/accounts                | 401 201 | 403 403 403 | 403 403 403 | 403 403 403
POST /customers/{customer}/users                   | 401 201 | 201 201 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/users                   | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/users/{user}            | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
PATCH /customers/{customer}/users/{user}           | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /customers/{customer}/users/{user}/disable    | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /customers/{customer}/users/{user}/enable     | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /customers/{customer}/users/{user}/first-password | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /customers/{customer}/users/{user}/delivered  | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
POST /password                                     | 401 400 | 400 400 400 | 400 400 400 | 403 403 403
POST /log-out                                      | 401 400 | 400 400 400 | 400 400 400 | 403 403 403
POST /customers/{customer}/accounts/{account}/lock | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /accounts/{account}/unlock                    | 401 403 | 200 200 404 | 403 403 403 | 403 403 403
POST /accounts/{account}/enrolment-codes           | 401 403 | 201 201 404 | 403 403 403 | 403 403 403
GET  /accounts/{account}/enrolment-codes           | 401 403 | 200 200 404 | 403 403 403 | 403 403 403
POST /enrolments                                   | 401 401 | 401 401 401 | 401 401 401 | 401 401 401
GET  /accounts                                     | 401 403 | 200 200 200 | 200 200 200 | 403 403 403
POST /accounts/{account}/devices                   | 401 403 | 201 201 404 | 201 201 404 | 403 403 403
GET  /accounts/{account}/devices                   | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
GET  /accounts/{account}/devices/{device}          | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
POST /accounts/{account}/devices/{device}/certificates | 401 403 | 403 403 403 | 403 403 403 | 409 404 404
POST /accounts/{account}/devices/{device}/revoke   | 401 403 | 200 200 404 | 403 403 403 | 403 403 403
GET  /accounts/{account}/devices/{device}/seeding  | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
POST /accounts/{account}/devices/{device}/seeding/cancel | 401 403 | 202 202 404 | 202 202 404 | 403 403 403
GET  /accounts/{account}/slots                     | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
PUT  /accounts/{account}/slots/{slot}              | 401 403 | 412 412 404 | 412 412 404 | 412 404 404
DELETE /accounts/{account}/slots/{slot}            | 401 403 | 200 200 404 | 200 200 404 | 403 403 403
POST /accounts/{account}/devices/{device}/kit-test | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
POST /customers/{customer}/accounts/{account}/rotate-key | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
POST /accounts/{account}/sessions                  | 401 403 | 403 403 403 | 403 403 403 | 201 404 404
GET  /accounts/{account}/sessions/{session}        | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
POST /accounts/{account}/sessions/{session}/renew  | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
GET  /accounts/{account}/sessions/{session}/packs  | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
GET  /accounts/{account}/sessions/{session}/packs/{pack} | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
POST /accounts/{account}/sessions/{session}/commit | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
POST /accounts/{account}/sessions/{session}/abandon | 401 403 | 403 403 403 | 403 403 403 | 200 404 404
GET  /accounts/{account}/snapshots                 | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
GET  /accounts/{account}/snapshots/{session}       | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
POST /accounts/{account}/restores                  | 401 403 | 201 201 404 | 201 201 404 | 201 404 404
GET  /accounts/{account}/restores/{restore}        | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
GET  /customers/{customer}/charges                 | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/incidents               | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /accounts/{account}/retention                 | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
PUT  /accounts/{account}/retention                 | 401 403 | 412 412 404 | 403 403 403 | 403 403 403
DELETE /accounts/{account}/retention/pending       | 401 403 | 409 409 404 | 403 403 403 | 403 403 403
POST /accounts/{account}/retention/simulate        | 401 403 | 200 200 404 | 200 200 404 | 403 403 403
GET  /accounts/{account}/snapshots/{session}/retention | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
POST /accounts/{account}/snapshots/{session}/pin   | 401 403 | 200 200 404 | 200 200 404 | 403 403 403
POST /accounts/{account}/snapshots/{session}/unpin | 401 403 | 200 200 404 | 403 403 403 | 403 403 403
POST /accounts/{account}/snapshots/{session}/take-back | 401 403 | 200 200 404 | 200 200 404 | 403 403 403
POST /customers/{customer}/accounts/{account}/snapshots/{session}/holds | 401 400 | 201 201 404 | 403 403 403 | 403 403 403
DELETE /customers/{customer}/accounts/{account}/snapshots/{session}/holds/{hold} | 401 400 | 200 200 404 | 403 403 403 | 403 403 403
POST /customers/{customer}/accounts/{account}/sweep | 401 202 | 403 403 403 | 403 403 403 | 403 403 403
GET  /customers/{customer}/accounts/{account}/sweep | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/accounts/{account}/sweep-reports | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/accounts/{account}/deletions | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
GET  /customers/{customer}/accounts/{account}/inspections | 401 200 | 200 200 404 | 403 403 403 | 403 403 403
POST /accounts/{account}/drills                    | 401 403 | 403 403 403 | 403 403 403 | 201 404 404
GET  /accounts/{account}/drills                    | 401 403 | 200 200 404 | 200 200 404 | 200 404 404
GET  /audit                                        | 401 403 | 200 200 200 | 403 403 403 | 403 403 403
GET  /audit/export                                 | 401 403 | 200 200 200 | 403 403 403 | 403 403 403
GET  /audit/anchor                                 | 401 403 | 200 200 200 | 403 403 403 | 403 403 403
GET  /audit/verify                                 | 401 403 | 200 200 200 | 403 403 403 | 403 403 403
GET  /customers/{customer}/audit                   | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
GET  /customers/{customer}/audit/export            | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
GET  /customers/{customer}/audit/anchor            | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
GET  /customers/{customer}/audit/verify            | 401 200 | 403 403 403 | 403 403 403 | 403 403 403
"""  # noqa: E501 -- a table


@dataclass(frozen=True, slots=True)
class Row:
    route: str
    expected: Mapping[str, tuple[int, ...]]


def rows() -> Iterator[Row]:
    for line in MATRIX.strip().splitlines()[1:]:
        route, others, *callers = (part.split() for part in line.split("|"))
        numbers = [tuple(int(n) for n in column) for column in callers]
        mine = dict(zip(("admin", "member", "device"), numbers, strict=True))
        yield Row(" ".join(route), {"nobody": (int(others[0]),) * 3, "operator": (int(others[1]),) * 3, **mine})


@dataclass(frozen=True, slots=True)
class World:
    """Tenant A with two accounts, tenant B with one; the callers belong to A's first."""

    callers: Mapping[str, Client]
    own: Place
    other: Place
    foreign: Place

    @property
    def places(self) -> tuple[Place, ...]:
        return self.own, self.other, self.foreign


@pytest.fixture(scope="module")
def world(service: Service, operator: Client) -> World:
    a, b = service.customer(operator), service.customer(operator)
    admin = a.user("admin").log_in()
    own, other = settle(service, a, admin), settle(service, a, admin)
    foreign = settle(service, b, b.user("admin").log_in())
    users = {"nobody": service.nobody, "operator": operator, "admin": admin, "member": a.user("member").log_in()}
    return World({**users, "device": own.client}, own, other, foreign)


def request(client: Client, route: str, parts: Mapping[str, str], refs_sha256: str = "0" * 64) -> Answer:
    """A good request on the route."""
    method, _, template = route.partition(" ")
    path = re.sub(r"\{(\w+)\}", lambda name: parts[name[1]], template)
    if method == "GET":
        return client.get(path)
    if path.endswith("/retention"):
        return client.put(path, {"policy": {"last": 3}}, {"If-Match": '"another"'})
    if method == "PUT":
        return client.put(path, {"sealed": "BBBB"}, {"If-None-Match": "*"})
    if method == "DELETE":
        return client.call(method, path)
    return client.call(method, path, good_body(template, refs_sha256, parts))


def good_body(template: str, refs_sha256: str = "", parts: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    match template.rpartition("/")[2]:
        case "customers" | "accounts":
            return {"name": "N"}
        case "users":
            return {"name": "Nora Nord", "login": f"n.{secrets.token_hex(8)}"}
        case "password":
            return {"old_password": "x", "new_password": "too short"}
        case "devices":
            return {"name": "N", "platform": "P", "csr": csr()}
        case "certificates":
            return {"csr": csr()}
        case "enrolments":
            return {"name": "N", "platform": "P", "csr": csr(), "code": "aaaaa-aaaaa-aaaaa-aaaaa"}
        case "commit":
            return {"refs_sha256": refs_sha256}
        case "drills":
            return {**DRILL, "snapshot": (parts or {})["snapshot"]}
        case "kit-test":
            return {"recovery_etag": RECOVERY_ETAG}
        case "holds":
            return {"reason": "N"}
        case _:
            return {}


def test_the_table_knows_every_route_of_the_document(service: Service) -> None:
    assert {row.route for row in rows()} == service.contract.routes


@pytest.mark.parametrize("who", ["nobody", "operator", "admin", "member", "device"])
@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.route)
def test_every_caller_gets_what_the_table_says(world: World, row: Row, who: str) -> None:
    for place, expected in zip(world.places, row.expected[who], strict=True):
        parts = {**place.parts(), **fitting(row.route, place)}
        answer = request(world.callers[who], row.route, parts, place.refs_sha256)
        assert answer.status == expected, answer.data


# What the others get, where it is not 403 and the route is not open to all.
OTHERS = {
    "billing": {
        "POST /password": 400,
        "POST /log-out": 400,
        "GET /customers": 200,
        "GET /customers/{customer}/charges": 200,
    },
    "auditor": {
        "POST /password": 400,
        "POST /log-out": 400,
        "GET /customers": 200,
        "GET /customers/{customer}/incidents": 200,
        "GET /customers/{customer}/audit": 200,
        "GET /customers/{customer}/audit/export": 200,
        "GET /customers/{customer}/audit/anchor": 200,
        "GET /customers/{customer}/audit/verify": 200,
    },
    "newcomer": {"POST /password": 400, "POST /log-out": 400},
}


@pytest.fixture(scope="module")
def others(service: Service, world: World) -> Mapping[str, Client]:
    staff = {role.value: service.staff(role) for role in (Role.BILLING, Role.AUDITOR)}
    return {**staff, "newcomer": world.own.customer.newcomer("admin").log_in()}


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.route)
def test_billing_auditors_and_newcomers_get_next_to_nothing(
    world: World, others: Mapping[str, Client], row: Row, who: str
) -> None:
    parts = {**world.own.parts(), **fitting(row.route, world.own)}
    answer = request(others[who], row.route, parts, world.own.refs_sha256)
    nobody, operator = row.expected["nobody"][0], row.expected["operator"][0]
    expected = nobody if nobody == operator else OTHERS[who].get(row.route, 403)
    assert answer.status == expected, answer.data


def fitting(route: str, place: Place) -> Mapping[str, str]:
    """The things of a place that this route is for, and fresh ones where it uses them up."""
    match route.rpartition("/")[2]:
        case "cancel":
            return {"device": begin(register(place.customer.service, place.admin, place.account)).device.id}
        case "lock":
            return {"account": place.customer.account()}
        case "revoke":
            return {"device": register(place.customer.service, place.admin, place.account).id}
        case "certificates":
            return {"device": place.device.id}
        case "abandon":
            return {"session": begin(place.device, place.client).id}
        case "commit":
            return {"session": place.snapshot}
        case "kit-test":
            return {"device": place.device.id}
        case "{slot}" if route.startswith("DELETE"):
            return {"slot": "passphrase"}
        case "{hold}":
            return {"session": place.snapshot, "hold": place.hold("a lawyer asks")}
        case _:
            return {"session": place.snapshot} if "/snapshots/" in route else {}


def test_another_device_of_the_account_has_no_part_in_a_session(world: World) -> None:
    other = world.own.seeding.log_in()
    below = world.own.open.path
    for path in (below, f"{below}/packs", f"{below}/packs/{world.own.pack}"):
        other.get(path).refused(404, "not-found")
    for path, body in (("renew", {}), ("abandon", None), ("commit", {"refs_sha256": "0" * 64})):
        other.post(f"{below}/{path}", body).refused(404, "not-found")


def test_no_restore_is_opened_for_a_foreign_snapshot(world: World) -> None:
    body = {"snapshot": world.foreign.snapshot}
    world.own.admin.post(f"/accounts/{world.own.account}/restores", body).refused(404, "not-found")


def test_a_customers_list_of_accounts_is_its_own(world: World) -> None:
    for who in ("admin", "member"):
        items = world.callers[who].get("/accounts", limit=1000).made(200)["items"]
        assert {world.own.account, world.other.account} <= {item["id"] for item in items}
        assert {item["customer"] for item in items} == {world.own.customer.id}


def test_a_user_of_another_customer_is_not_there(world: World) -> None:
    foreign, mine = world.foreign.user, f"/customers/{world.own.customer.id}/users"
    world.own.admin.get(f"{mine}/{foreign}").refused(404, "not-found")
    for deed in ("disable", "enable", "first-password"):
        for who in ("admin", "operator"):
            world.callers[who].post(f"{mine}/{foreign}/{deed}").refused(404, "not-found")


def test_a_customer_s_list_of_users_is_its_own(world: World) -> None:
    users = f"/customers/{world.own.customer.id}/users"
    items = world.own.admin.get(users, limit=1000).made(200)["items"]
    assert {item["customer"] for item in items} == {world.own.customer.id}
    assert world.own.user in {item["id"] for item in items}


def test_the_operator_makes_nothing_for_a_customer_that_is_not_there(operator: Client) -> None:
    nobody = "0" * 26
    operator.post(f"/customers/{nobody}/accounts", {"name": "N"}).refused(404, "not-found")
    operator.post(f"/customers/{nobody}/users", dict(good_body("users"))).refused(404, "not-found")


TENANT_ROUTES = sorted(row.route for row in rows() if "{account}" in row.route)
PARTS = ("account", "device", "session", "pack", "restore", "hold")


def test_no_token_of_one_tenant_opens_a_path_of_another(world: World) -> None:
    """Also not when only a part of the path is foreign."""

    @settings(max_examples=100, deadline=None)
    @given(
        route=st.sampled_from(TENANT_ROUTES),
        who=st.sampled_from(["admin", "member", "device"]),
        foreign=st.sets(st.sampled_from(PARTS), min_size=1),
        snapshot=st.booleans(),
    )
    def nothing_opens(route: str, who: str, foreign: set[str], snapshot: bool) -> None:
        theirs = {**world.foreign.parts(), **({"session": world.foreign.snapshot} if snapshot else {})}
        parts = {**world.own.parts(), **{name: theirs[name] for name in foreign}}
        if not any(f"{{{name}}}" in route for name in foreign):
            parts["account"] = theirs["account"]
        answer = request(world.callers[who], route, parts, world.foreign.refs_sha256)
        assert answer.status in (403, 404), answer.data

    before = [place.seen() for place in world.places]
    nothing_opens()
    assert [place.seen() for place in world.places] == before
