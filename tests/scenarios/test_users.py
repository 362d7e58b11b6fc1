"""People: a first password handed over, a stranger who guesses, a colleague who leaves; the devices go on."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from demo.stack import OPERATOR, Stack
from operator_cli.provider import Provider, UserDeed
from shared.domain.ids import CustomerId, UserId
from shared.domain.lockout import FREE_FOR_USER
from shared.services import Services
from shared.storage.tenants import CUSTOMERS_PARTITION
from shared.storage.users import LOGIN_ROW
from tests.scenarios.conftest import Customer, enrol


def log_in(customer: Customer, password: str) -> int:
    """What the service answers to this password."""
    form = urlencode({"grant_type": "password", "username": customer.login, "password": password})
    return urllib3.request("POST", f"{customer.stack.url}/api/v1/token", body=form).status


def whois(customer: Customer) -> tuple[CustomerId, UserId]:
    claim = Services(customer.stack.settings).logins.get(customer.login, LOGIN_ROW)
    assert claim
    return CustomerId(claim.value.tenant), claim.value.user


@pytest.fixture
def anna(customer: Customer) -> Customer:
    return customer


def test_the_first_password_is_changed_before_the_first_device_joins(anna: Customer):
    first_only = anna.signing_in()[:-2]
    refused = anna.device("laptop").run("register", *first_only, "--kit", str(anna.kit))
    assert refused.returncode == 1
    assert "--new-password-file" in refused.stderr
    assert not anna.kit.exists()

    anna.registered("laptop")
    assert log_in(anna, anna.password) == 401
    assert log_in(anna, f"own {anna.password}") == 200
    services = Services(anna.stack.settings)
    stored = services.customers.get(CUSTOMERS_PARTITION, whois(anna)[0])
    assert stored
    assert stored.value.service_began_at is not None


def test_a_stranger_who_guesses_stops_nobody_for_long_and_no_device_at_all(
    own_stack: Stack, documents: Path, tmp_path: Path
):
    anna = enrol(own_stack, tmp_path)
    laptop = anna.registered("laptop")
    for n in range(FREE_FOR_USER):
        assert log_in(anna, f"guess {n}") == 401
    assert log_in(anna, f"own {anna.password}") == 429
    laptop.hort("backup", str(documents / "folder-1"))
    urllib3.request("POST", f"{anna.stack.url}/admin/clock", json={"advance_seconds": 2})
    assert log_in(anna, f"own {anna.password}") == 200


def test_who_leaves_is_out_and_the_laptop_goes_on(anna: Customer, documents: Path):
    laptop = anna.registered("laptop")
    provider = Provider(anna.stack.url, OPERATOR, anna.stack.operator_password())
    customer, user = whois(anna)
    provider.do_to_user(customer, user, UserDeed.DISABLE)

    joining = anna.device("another").run("register", *anna.signing_in(), "--kit", str(anna.kit))
    assert joining.returncode == 4, joining.stderr
    laptop.hort("backup", str(documents / "folder-1"))

    provider.do_to_user(customer, user, UserDeed.ENABLE)
    anna.registered("another")
    listed = [known.login for known in provider.users(customer)]
    assert listed == [anna.login]
    assert json.loads(laptop.hort("snapshots"))["snapshots"]
