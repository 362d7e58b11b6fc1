"""Two running services a worker: one in real time, one whose time the tests move."""

from collections.abc import Iterator

import pytest

from tests.quick.stack import QuickStack, QuietStack
from tests.service.client import Client
from tests.service.people import Customer, Device, Service, User, register


def running(tmp_path_factory: pytest.TempPathFactory, *, virtual_clock: bool) -> Iterator[Service]:
    kind = QuietStack if virtual_clock else QuickStack
    with kind.start(tmp_path_factory.mktemp("stack"), virtual_clock=virtual_clock) as stack:
        service = Service(stack)
        yield service
        assert not service.secrets.leaked_into(service.log()), "the log holds secrets"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from running(tmp_path_factory, virtual_clock=False)


@pytest.fixture(scope="session")
def timeless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own whose clock the tests move."""
    yield from running(tmp_path_factory, virtual_clock=True)


@pytest.fixture(scope="module")
def operator(service: Service) -> Client:
    """Of each module its own, as the customer and the admin: a token ends after a quarter of an hour."""
    return service.operator()


@pytest.fixture(scope="module")
def customer(service: Service, operator: Client) -> Customer:
    return service.customer(operator)


@pytest.fixture(scope="module")
def admin(customer: Customer) -> User:
    return customer.user("admin")


@pytest.fixture(scope="module")
def admin_client(admin: User) -> Client:
    return admin.log_in()


@pytest.fixture
def account(customer: Customer) -> str:
    """A fresh account with nothing in it."""
    return customer.account()


@pytest.fixture
def device(service: Service, admin_client: Client, account: str) -> Device:
    """A fresh device, alone in its account."""
    return register(service, admin_client, account)
