"""Input that is not what it should be: refused with the field and the reason, and nothing half done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.service.client import Answer, Client
from tests.service.forms import FORMS, NO_COUNTS, SHA, Form
from tests.service.people import Service
from tests.service.places import Place, settle

MAX_BODY_BYTES = 1 << 20
NO_JSON = {
    "text": b"hello",
    "cut short": b'{"name": "N"',
    "two values": b"{}{}",
    "a comma too much": b'{"name": "N",}',
    "single quotes": b"{'name': 'N'}",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "N"}'.encode("utf-16"),
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "a raw control character": b'{"name": "a\x01b"}',
    "too deep": b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "XML": b"<name>N</name>",
    "a form": b"name=N",
    "blanks": b"  \n ",
    "NUL": b"\x00",
    "MessagePack": b"\x81\xa4name\xa1N",
}
NO_OBJECT: Mapping[str, Any] = {"a list": [], "null": b"null", "a number": 7, "a text": "name", "true": True}


@dataclass(frozen=True, slots=True)
class Room:
    """A place where every bad request is tried, and what is seen of it."""

    place: Place
    clients: Mapping[str, Client]

    def send(self, form: Form, body: Any) -> Answer:
        path = form.path.format_map(self.place.parts())
        headers = {"If-None-Match": "*"} if form.method == "PUT" else {}
        return self.clients[form.who].call(form.method, path, body, headers)

    def seen(self) -> Mapping[str, Any]:
        """Nothing here ever changes it: the customer is the room's own."""
        return {**self.place.seen(), "accounts": self.place.admin.get("/accounts").made(200)}

    def later_customers(self) -> Mapping[str, Any]:
        """Those made after the room's; other tests make some too."""
        return self.clients["operator"].get("/customers", after=self.place.customer.id, limit=1000).made(200)


@pytest.fixture(scope="module")
def room(service: Service, operator: Client) -> Room:
    customer = service.customer(operator)
    place = settle(service, customer, customer.user().log_in())
    return Room(place, {"nobody": service.nobody, "operator": operator, "admin": place.admin, "device": place.client})


@pytest.fixture(scope="module")
def as_it_was(room: Room) -> Mapping[str, Any]:
    return room.seen()


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


FIELDS = [pytest.param(form, field, id=f"{name}-{field}") for name, form in FORMS.items() for field in form.refuses]


@pytest.fixture
def untouched(room: Room, as_it_was: Mapping[str, Any]) -> Iterator[None]:
    """Whatever the test sends, nothing is seen to change."""
    before = room.later_customers()
    yield
    assert room.later_customers() == before
    assert room.seen() == as_it_was


@pytest.mark.usefixtures("untouched")
def test_what_is_no_json_is_refused(room: Room, form: Form) -> None:
    for what, body in NO_JSON.items():
        problem = room.send(form, body).json
        assert (problem["type"], problem["field"]) == ("urn:hort:problem:invalid-request", "body"), what


@pytest.mark.usefixtures("untouched")
def test_what_is_no_object_is_refused(room: Room, form: Form) -> None:
    for body in NO_OBJECT.values():
        room.send(form, body).refused(400, "invalid-request", "body")


@pytest.mark.usefixtures("untouched")
def test_a_field_that_nobody_knows_is_refused(room: Room, form: Form) -> None:
    for field in ("extra", "customer", "account", "__proto__", "\u0000"):
        problem = room.send(form, {**form.body, field: 1}).refused(400, "invalid-request", field)
        assert "not permitted" in problem["detail"]


@pytest.mark.usefixtures("untouched")
def test_a_field_that_is_missing_is_named(room: Room, form: Form) -> None:
    for field in form.body.keys() - form.optional:
        body = {name: value for name, value in form.body.items() if name != field}
        problem = room.send(form, body).refused(400, "invalid-request", field)
        assert "required" in problem["detail"]


@pytest.mark.usefixtures("untouched")
def test_an_empty_body_misses_the_first_field(room: Room, form: Form) -> None:
    needed = [name for name in form.body if name not in form.optional]
    if needed:
        room.send(form, b"").refused(400, "invalid-request", needed[0])


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_a_value_that_a_field_cannot_have_is_refused(room: Room, form: Form, field: str) -> None:
    for value in form.refuses[field]:
        answer = room.send(form, {**form.body, field: value})
        assert answer.status == 400, (value, answer.data)
        assert answer.refused(400, "invalid-request", field)["detail"].startswith(f"{field}: ")


@pytest.mark.usefixtures("untouched")
def test_fields_within_fields_are_named_with_their_path(room: Room) -> None:
    for value in NO_COUNTS:
        body = {"refs_sha256": SHA, "statistics": {"files": value}}
        room.send(FORMS["commit"], body).refused(400, "invalid-request", "statistics.files")
    body = {"refs_sha256": SHA, "statistics": {"extra": 1}}
    room.send(FORMS["commit"], body).refused(400, "invalid-request", "statistics.extra")


@pytest.mark.usefixtures("untouched")
def test_a_huge_body_is_refused(room: Room, form: Form) -> None:
    for body in (b"x" * (MAX_BODY_BYTES + 1), b" " * (5 * MAX_BODY_BYTES)):
        problem = room.send(form, body).refused(413, "too-large")
        assert str(MAX_BODY_BYTES) in problem["detail"]


def test_a_body_of_just_the_greatest_size_is_read(room: Room) -> None:
    body = b'{"name": "N"}'
    room.send(FORMS["customer"], body + b" " * (MAX_BODY_BYTES - len(body))).made()


@pytest.mark.parametrize("body", [{"x": 1}, [], b"hello"])
def test_a_body_where_none_belongs_is_refused(room: Room, body: Any) -> None:
    answer = room.place.client.call("POST", f"{room.place.open.path}/abandon", body)
    assert answer.status == 400, answer.data
    assert room.place.client.get(room.place.open.path).made(200)["state"] == "open"


@pytest.mark.parametrize(
    "bad", ["x", "0" * 25, "0" * 27, "0" * 25 + "U", "%00", "0" * 26 + "%0A", "%20", "%F0%9F%98%80", "a%27b"]
)
def test_an_identity_in_the_path_that_is_none_is_named(room: Room, bad: str) -> None:
    operator, admin, device = (room.clients[who] for who in ("operator", "admin", "device"))
    mine = f"/accounts/{room.place.account}"
    operator.post(f"/customers/{bad}/accounts", {"name": "N"}).refused(400, "invalid-request", "customer")
    for below in ("devices", "snapshots", "slots"):
        admin.get(f"/accounts/{bad}/{below}").refused(400, "invalid-request", "account")
    admin.get(f"{mine}/devices/{bad}").refused(400, "invalid-request", "device")
    admin.get(f"{mine}/devices/{bad}/seeding").refused(400, "invalid-request", "device")
    admin.get(f"{mine}/restores/{bad}").refused(400, "invalid-request", "restore")
    admin.get(f"{mine}/snapshots/{bad}").refused(400, "invalid-request", "session")
    device.get(f"{mine}/sessions/{bad}").refused(400, "invalid-request", "session")
    device.get(f"{mine}/sessions/{bad}/packs").refused(400, "invalid-request", "session")


def test_a_well_formed_identity_of_nothing_is_not_found(room: Room) -> None:
    admin, device, nothing = room.clients["admin"], room.clients["device"], "0" * 26
    mine = f"/accounts/{room.place.account}"
    for path in (
        f"/accounts/{nothing}/devices",
        *(f"{mine}/{kind}/{nothing}" for kind in ("devices", "restores", "snapshots")),
    ):
        admin.get(path).refused(404, "not-found")
    device.get(f"{mine}/sessions/{nothing}").refused(404, "not-found")
    admin.post(f"{mine}/restores", {"snapshot": nothing}).refused(404, "not-found")


@pytest.mark.parametrize("path", ["/", "/nothing", "/customers/x", "/token/x", "/accounts/../customers/x", "/%2e%2e"])
def test_a_path_that_nobody_answers_is_not_found(room: Room, path: str) -> None:
    assert room.clients["operator"].get(path).status == 404


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_offered_is_refused(room: Room, method: str) -> None:
    answer = room.clients["operator"].call(method, "/customers", {"name": "N"})
    assert answer.status == 405, answer.data
    assert answer.headers["Allow"] == "GET, POST"


def test_names_of_people_may_hold_any_letters(room: Room) -> None:
    for name in ("M\u00fcller & S\u00f6hne <AG>", "\u4f1a\u793e", 'O\'Brien "x"', "\U0001f600", "x" * 120, "{{7*7}}"):
        assert room.send(FORMS["customer"], {"name": name}).made()["name"] == name


@pytest.mark.parametrize("character", ["\u0085", "\u009b", "\u200b", "\u2028", "\u202e", "\u2066", "\ufeff"])
def test_names_hold_nothing_invisible(room: Room, character: str) -> None:
    """A name that shows as another one deceives whoever reads it."""
    room.send(FORMS["customer"], {"name": f"a{character}b"}).refused(400, "invalid-request", "name")
