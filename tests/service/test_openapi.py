"""The OpenAPI document: valid, complete, and a judge that finds fault with a wrong reply."""

# pyright: reportUnknownMemberType=false
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from openapi_pydantic import OpenAPI

from tests.service.client import Client
from tests.service.contract import Contract
from tests.service.forms import FORMS, Form
from tests.service.people import Service

CREATING = {
    "POST /customers",
    "POST /customers/{customer}/accounts",
    "POST /customers/{customer}/users",
    "POST /customers/{customer}/accounts/{account}/lock",
    "POST /accounts/{account}/enrolment-codes",
    "POST /accounts/{account}/devices",
    "POST /accounts/{account}/devices/{device}/certificates",
    "POST /accounts/{account}/sessions",
    "POST /accounts/{account}/restores",
    "POST /customers/{customer}/accounts/{account}/snapshots/{session}/holds",
    "POST /accounts/{account}/drills",
}
LISTS = {
    "GET /customers",
    "GET /customers/{customer}/users",
    "GET /accounts",
    "GET /accounts/{account}/devices",
    "GET /accounts/{account}/sessions/{session}/packs",
    "GET /accounts/{account}/snapshots",
    "GET /customers/{customer}/accounts/{account}/sweep-reports",
    "GET /customers/{customer}/accounts/{account}/deletions",
    "GET /customers/{customer}/accounts/{account}/inspections",
    "GET /accounts/{account}/enrolment-codes",
    "GET /customers/{customer}/charges",
    "GET /customers/{customer}/incidents",
    "GET /accounts/{account}/drills",
    "GET /audit",
    "GET /customers/{customer}/audit",
    "GET /audit/export",
    "GET /customers/{customer}/audit/export",
}
OPEN_TO_ALL = {"POST /token", "POST /enrolments", "GET /jwks"}


@pytest.fixture(scope="module")
def contract(service: Service) -> Contract:
    return service.contract


def schemas(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema in a part of the document."""
    if isinstance(part, dict):
        items = cast("dict[str, Any]", part)
        if isinstance(items.get("schema"), dict):
            yield items["schema"]
        for value in items.values():
            yield from schemas(value)
    elif isinstance(part, list):
        for value in cast("list[Any]", part):
            yield from schemas(value)


def parameters(contract: Contract, route: str) -> Mapping[str, Mapping[str, Any]]:
    return {parameter["name"]: parameter for parameter in contract.operation(route).get("parameters", [])}


def test_the_document_is_valid_openapi_3_1(contract: Contract) -> None:
    assert OpenAPI.model_validate(contract.document).openapi.startswith("3.1.")
    found = [*schemas(contract.document), *contract.document["components"]["schemas"].values()]
    assert len(found) > 50
    for schema in found:
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(service: Service, contract: Contract) -> None:
    text = service.nobody.pool.request("GET", f"{service.stack.url}/api/v1/openapi.json").data.decode()
    targets = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text))
    assert targets
    assert targets <= contract.document["components"]["schemas"].keys()


def test_the_document_is_served_to_everybody_and_names_its_server(service: Service, contract: Contract) -> None:
    reply = service.nobody.pool.request("GET", f"{service.stack.url}/api/v1/openapi.json")
    assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    assert contract.document["servers"][0]["url"] == f"{service.stack.url}/api/v1"


def test_every_function_that_the_host_serves_is_in_the_document(service: Service, contract: Contract) -> None:
    served = set(re.findall(r"host: \w+ \[http\] v1(/\S+)", service.log()))
    assert served == {*contract.document["paths"], "/openapi.json", "/devices.crl"}


def test_operations_have_names_of_their_own(contract: Contract) -> None:
    names = [contract.operation(route)["operationId"] for route in contract.routes]
    assert len(set(names)) == len(names)


def test_every_part_of_a_path_is_described(contract: Contract) -> None:
    for route in contract.routes:
        described = {name for name, p in parameters(contract, route).items() if p["in"] == "path" and p["required"]}
        assert described == set(re.findall(r"\{(\w+)\}", route)), route


def test_all_but_the_token_and_the_keys_want_a_token(contract: Contract) -> None:
    assert {route for route in contract.routes if not contract.operation(route).get("security")} == OPEN_TO_ALL


def test_keys_and_pages_are_described_where_they_are_taken(contract: Contract) -> None:
    assert {route for route in contract.routes if "Idempotency-Key" in parameters(contract, route)} == CREATING
    assert {route for route in contract.routes if {"after", "limit"} <= parameters(contract, route).keys()} == LISTS


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_requests_are_described_as_strictly_as_they_are_read(contract: Contract, form: Form) -> None:
    route = contract.route_of(form.method, form.path.replace("slots/recovery", "slots/{slot}"))
    assert route
    schema = contract.operation(route)["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": contract.document["components"]})
    assert not list(validator.iter_errors(dict(form.body)))
    assert list(validator.iter_errors({**form.body, "extra": 1}))
    for field in form.body.keys() - form.optional:
        assert list(validator.iter_errors({name: value for name, value in form.body.items() if name != field}))


def test_every_refusal_is_described_as_a_problem(contract: Contract) -> None:
    for route in contract.routes:
        replies = contract.operation(route)["responses"]
        refusals = {status: reply for status, reply in replies.items() if int(status) >= 400}
        assert {"400", "404", "503"} <= refusals.keys(), route
        assert all(list(reply["content"]) == ["application/problem+json"] for reply in refusals.values()), route


def test_the_judge_finds_fault_with_a_wrong_reply(contract: Contract, operator: Client) -> None:
    good = operator.post("/customers", {"name": "N"}).made()
    wrong: list[tuple[int, str, Any]] = [
        (500, "application/problem+json", {}),
        (201, "text/html", good),
        (201, "application/json", {"id": good["id"]}),
        (201, "application/json", {**good, "name": 7}),
        (201, "application/json", []),
    ]
    contract.judge("POST", "/customers", 201, "application/json", good)
    for status, kind, body in wrong:
        with pytest.raises(AssertionError):
            contract.judge("POST", "/customers", status, kind, body)
