"""A stolen laptop, and a breach that somebody suspects: credentials die at once, and the data comes back (N16)."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cli.exits import Exit
from agent.patience import Patience
from agent.person import Person
from agent.transport import Transport
from demo.compare import compare
from demo.device import REPOSITORY, Device
from demo.stack import OPERATOR
from shared.domain.ids import CustomerId
from tests.scenarios.conftest import Customer


@dataclass(frozen=True, slots=True)
class Administrator:
    """The customer's administrator, at the command line of a machine that is none of the devices."""

    customer: Customer
    password: Path

    @classmethod
    def of(cls, customer: Customer) -> "Administrator":
        """With what `Customer.signing_in` has made of the first password."""
        return cls(customer, customer.folder / "password.txt")

    @property
    def machine(self) -> Device:
        return self.customer.device("administrator")

    @property
    def signing_in(self) -> tuple[str, ...]:
        service = ("--service", self.customer.stack.url, "--login", self.customer.login)
        return (*service, "--password-file", str(self.password))

    def ask(self, *words: str) -> Any:
        return json.loads(self.machine.hort(*words, *self.signing_in))

    @property
    def firm(self) -> CustomerId:
        """The customer's id, which the operator needs."""
        url, transport = self.customer.stack.url, Transport(Patience())
        return Person(url, self.customer.login, self.password.read_text(), transport).accounts()[0].customer

    def code(self) -> str:
        return self.ask("codes", "make")["code"]

    def devices(self) -> dict[str, str]:
        return {device["name"]: device["state"] for device in self.ask("devices", "list")["devices"]}


def hortctl(customer: Customer, *words: str) -> subprocess.CompletedProcess[str]:
    """The provider's tool, as the operator runs it."""
    stack = customer.stack
    who = {"HORT_SERVICE": stack.url, "HORT_OPERATOR": OPERATOR, "HORT_PASSWORD": stack.operator_password()}
    command = [sys.executable, "-m", "operator_cli", *words, "--json"]
    return subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **who}, capture_output=True, text=True, check=False
    )


def test_a_lost_laptop_and_a_lost_kit_and_a_passphrase_that_somebody_remembers(
    customer: Customer, documents: Path, tmp_path: Path
) -> None:
    # Anna's laptop backs up. She has chosen a passphrase, because papers get lost.
    laptop, passphrase = customer.registered("laptop"), tmp_path / "remembered"
    laptop.hort("backup", str(documents))
    admin = Administrator.of(customer)
    passphrase.write_text("anchor lagoon velvet thirteen\n")
    password = ("--login", customer.login, "--password-file", str(admin.password))
    laptop.hort("passphrase", "set", *password, "--passphrase-file", str(passphrase))

    # The laptop is left on a train, and nobody finds the recovery kit.
    customer.kit.unlink()

    # The administrator puts the laptop out, and makes a code for the new one.
    admin.ask("devices", "revoke", "laptop")
    code = admin.code()

    # The finder of the old one gets nothing: not with the key that is on it, and not by the laptop's own slot.
    for command in (("backup", str(documents)), ("restore", "latest", "--target", str(tmp_path / "theft"))):
        assert laptop.run(*command).returncode == Exit.NOT_AUTHORISED
    (laptop.home / "config" / "master.key").unlink()
    finder = laptop.run("snapshots")
    assert finder.returncode == Exit.NOT_AUTHORISED
    assert "does not let this device in" in finder.stderr

    # Anna mistypes her passphrase once. Nothing is lost by it: code and account are as they were.
    coming_in = ("--service", customer.stack.url, "--code", code, "--name", "new laptop")
    mistyped = tmp_path / "mistyped"
    mistyped.write_text("anchor lagoon velvet fourteen\n")
    new = customer.device("new-laptop")
    assert new.run("recover", *coming_in, "--passphrase-file", str(mistyped)).returncode == Exit.WRONG_KEY
    new.hort("recover", *coming_in, "--passphrase-file", str(passphrase))

    # All her files are back, and the next backup runs.
    new.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []
    new.hort("backup", str(documents))
    [used] = admin.ask("codes", "list")["codes"]
    assert (admin.devices(), used["state"]) == ({"laptop": "revoked", "new laptop": "active"}, "used")


def test_a_home_that_came_back_without_its_key_opens_the_vault_by_the_device_s_own_slot(
    customer: Customer, documents: Path, tmp_path: Path
) -> None:
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    customer.kit.unlink()
    (laptop.home / "config" / "master.key").unlink()
    laptop.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []


def test_no_password_ever_touches_a_device_that_comes_in_with_a_code(customer: Customer, documents: Path) -> None:
    customer.device("desk").hort("password", *customer.signing_in())
    code = Administrator.of(customer).code()
    first, coming_in = customer.device("first"), ("--service", customer.stack.url, "--code", code)
    first.hort("register", *coming_in, "--kit", str(customer.kit))
    first.hort("backup", str(documents))
    again = customer.device("second").run("register", *coming_in)
    assert again.returncode == Exit.NOT_AUTHORISED
    assert "used before" in again.stderr


def test_a_suspected_breach_shuts_the_account_until_there_are_new_credentials(
    customer: Customer, documents: Path, tmp_path: Path
) -> None:
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    admin = Administrator.of(customer)
    incident = admin.ask("account", "lock", "--note", "somebody else has logged in")["incident"]
    [known] = json.loads(hortctl(customer, "incidents", "list", admin.firm).stdout)["incidents"]
    assert (known["id"], known["note"]) == (incident, "somebody else has logged in")

    for command in (("backup", str(documents)), ("restore", "latest", "--target", str(tmp_path / "theft"))):
        assert laptop.run(*command).returncode == Exit.NOT_AUTHORISED
    too_soon = admin.machine.run("account", "unlock", *admin.signing_in)
    assert too_soon.returncode == Exit.FAILED
    assert "change your password" in too_soon.stderr

    newer = customer.folder / "newer-password.txt"
    newer.write_text("a password that nobody knows yet")
    admin.machine.hort("password", *admin.signing_in, "--new-password-file", str(newer))
    Administrator(customer, newer).ask("account", "unlock")

    laptop.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []


def test_an_operator_locks_and_reads_the_bill_and_lets_no_device_in_or_out(customer: Customer) -> None:
    laptop = customer.registered("laptop")
    admin = Administrator.of(customer)
    [charge] = json.loads(hortctl(customer, "charges", "list", admin.firm).stdout)["charges"]
    assert (charge["kind"], charge["amount_eur"]) == ("certificate.issued", "99.00")
    for words in (("devices", "list"), ("codes", "make"), ("codes", "list"), ("accounts", "unlock")):
        refused = hortctl(customer, *words, customer.account)
        assert refused.returncode == Exit.NOT_AUTHORISED, refused.stdout + refused.stderr
    lock = ("accounts", "lock", admin.firm, customer.account)
    assert hortctl(customer, *lock, "--instruction", "call of 14:05", "--note", "laptop stolen").returncode == Exit.OK
    assert laptop.run("snapshots").returncode == Exit.NOT_AUTHORISED
