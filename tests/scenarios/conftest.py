"""The whole service on this machine, customers on it, and devices that run the agent's command line."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.device import Device
from demo.edits import add_oddities
from demo.stack import OPERATOR, Stack
from operator_cli.provider import Provider
from shared.api.identity import CreateUser
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Role
from tests.quick.stack import QuickStack

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Customer:
    """A customer with one account and one user, as the operator hands them over."""

    stack: Stack
    account: AccountId
    login: str
    password: str
    """The first one, which `signing_in` makes into another."""
    folder: Path
    id: CustomerId

    @property
    def kit(self) -> Path:
        return self.folder / "recovery-kit.txt"

    def device(self, name: str) -> Device:
        """A device that has just been unpacked: nothing on it yet."""
        return Device(self.folder / name)

    def signing_in(self) -> tuple[str, ...]:
        first, own = self.folder / "first-password.txt", self.folder / "password.txt"
        first.write_text(self.password)
        own.write_text(f"own {self.password}")
        passwords = ("--password-file", str(first), "--new-password-file", str(own))
        return ("--service", self.stack.url, "--login", self.login, *passwords)

    def registered(self, name: str) -> Device:
        """A device that has joined the account; the first one makes the recovery kit."""
        device = self.device(name)
        device.hort("register", *self.signing_in(), "--name", name, "--kit", str(self.kit))
        return device

    def recovered(self, name: str) -> Device:
        """A new device that opens the account with the recovery kit."""
        device = self.device(name)
        device.hort("recover", *self.signing_in(), "--name", name, "--kit", str(self.kit))
        return device


def enrol(stack: Stack, folder: Path) -> Customer:
    """A new customer, set up by the operator."""
    number = next(_NUMBERS)
    login = f"anna{number}@example.com"
    provider = Provider(stack.url, OPERATOR, stack.operator_password())
    customer = provider.create_customer(f"Example {number} GmbH")
    account = provider.create_account(customer.id, "Laptops")
    user = provider.create_user(customer.id, CreateUser(name="Anna Berg", login=login, role=Role.ADMIN))
    return Customer(stack, account.id, login, user.password, folder, customer.id)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with QuickStack.start(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Another service, for stories that kill it or move its clock."""
    with QuickStack.start(tmp_path_factory.mktemp("service"), virtual_clock=True) as running:
        yield running


@pytest.fixture
def customer(stack: Stack, tmp_path: Path) -> Customer:
    return enrol(stack, tmp_path)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with what people have: many small files, a large one, links, an empty file and an empty folder."""
    root = tmp_path / "documents"
    chance = random.Random(2026)
    for n in range(200):
        folder = root / f"folder-{n % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"letter-{n}.txt").write_text(f"Dear reader {n},\n" * chance.randint(1, 400))
    (root / "photo.raw").write_bytes(chance.randbytes(12 << 20))
    add_oddities(root)
    return root
