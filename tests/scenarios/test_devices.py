"""A stolen laptop, and a breach that somebody suspects: credentials die at once, and the data comes back (N16)."""

from pathlib import Path

import pytest

from agent.cli.exits import Exit
from agent.credentials import Password
from agent.patience import Patience
from agent.replies import Refused, parse
from agent.service import Service
from agent.tokens import make_nonce
from agent.transport import Transport
from demo.compare import compare
from demo.device import Device
from shared.api.tenancy import Account, AccountLock, EnrolmentCode, LockAccount
from shared.api.tenancy import Device as Described
from tests.scenarios.conftest import Customer


class Administrator(Service):
    """The customer's administrator, at the API."""

    def __init__(self, customer: Customer, password: str) -> None:
        super().__init__(customer.stack.url, Password(customer.login, password), Transport(Patience()))
        self.account = next(account for account in self.accounts() if account.id == customer.account)

    def code(self) -> str:
        path = f"/accounts/{self.account.id}/enrolment-codes"
        return parse(self._post(path, None, make_nonce()), EnrolmentCode, self._api).code

    def devices(self) -> list[Described]:
        return list(self._pages(f"/accounts/{self.account.id}/devices", Described))

    def revoke(self, device: Described) -> None:
        self._post(f"/accounts/{self.account.id}/devices/{device.id}/revoke", None, make_nonce())

    def lock(self) -> AccountLock:
        path = f"/customers/{self.account.customer}/accounts/{self.account.id}/lock"
        return self._create(path, LockAccount(note="somebody else has logged in"), AccountLock, make_nonce())

    def unlock(self) -> None:
        parse(self._post(f"/accounts/{self.account.id}/unlock", None, make_nonce()), Account, self._api)


def own_password(customer: Customer) -> str:
    """What `Customer.signing_in` has made of the first one."""
    return (customer.folder / "password.txt").read_text()


def by_code(customer: Customer, command: str, name: str, code: str) -> Device:
    device = customer.device(name)
    where = ("--service", customer.stack.url, "--code", code, "--name", name)
    device.hort(command, *where, "--kit", str(customer.kit))
    return device


def test_a_stolen_laptop_is_out_and_a_new_one_comes_in_with_a_code(
    customer: Customer, documents: Path, tmp_path: Path
) -> None:
    stolen = customer.registered("laptop")
    stolen.hort("backup", str(documents))
    admin = Administrator(customer, own_password(customer))
    admin.revoke(admin.devices()[0])

    for command in (("backup", str(documents)), ("restore", "latest", "--target", str(tmp_path / "theft"))):
        assert stolen.run(*command).returncode == Exit.NOT_AUTHORISED

    new = by_code(customer, "recover", "new-laptop", admin.code())
    new.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []
    assert [device.state for device in admin.devices()] == ["revoked", "active"]
    new.hort("backup", str(documents))


def test_no_password_ever_touches_a_device_that_comes_in_with_a_code(customer: Customer, documents: Path) -> None:
    customer.device("desk").hort("password", *customer.signing_in())
    admin = Administrator(customer, own_password(customer))
    code = admin.code()
    first = by_code(customer, "register", "first", code)
    first.hort("backup", str(documents))
    again = customer.device("second").run("register", "--service", customer.stack.url, "--code", code)
    assert again.returncode == Exit.NOT_AUTHORISED
    assert "used before" in again.stderr


def test_a_suspected_breach_shuts_the_account_until_there_are_new_credentials(
    customer: Customer, documents: Path, tmp_path: Path
) -> None:
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    admin = Administrator(customer, own_password(customer))
    assert admin.lock().incident

    for command in (("backup", str(documents)), ("restore", "latest", "--target", str(tmp_path / "theft"))):
        assert laptop.run(*command).returncode == Exit.NOT_AUTHORISED
    with pytest.raises(Refused, match="change your password"):
        admin.unlock()

    newer = customer.folder / "newer-password.txt"
    newer.write_text("a password that nobody knows yet")
    old = ("--password-file", str(customer.folder / "password.txt"))
    service = ("--service", customer.stack.url, "--login", customer.login)
    laptop.hort("password", *service, *old, "--new-password-file", str(newer))
    Administrator(customer, newer.read_text()).unlock()

    laptop.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []
