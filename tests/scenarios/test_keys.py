"""Two locks on every vault: the customer's key, and the provider's around it. Neither opens anything alone."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from demo.compare import compare
from demo.device import Device
from tests.scenarios.conftest import Customer


@contextmanager
def without_the_provider_s_key(customer: Customer) -> Generator[None]:
    keys = customer.stack.keys / customer.account
    away = keys.with_suffix(".away")
    keys.rename(away)
    try:
        yield
    finally:
        away.rename(keys)


def is_protected(device: Device) -> bool:
    return json.loads(device.hort("status"))["at_the_service"]["protected_at"] is not None


def test_backups_and_restores_never_ask_for_the_provider_s_key(customer: Customer, documents: Path, tmp_path: Path):
    """Unwrapping is rare: it takes the key to join and to recover, and nothing else does."""
    laptop = customer.registered("laptop")
    with without_the_provider_s_key(customer):
        laptop.hort("backup", str(documents))
        (documents / "letter.txt").write_text("one more")
        laptop.hort("backup", str(documents))
        laptop.hort("check", "--read-data")
        laptop.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []


def test_the_recovery_kit_alone_opens_nothing_without_the_provider_s_key(customer: Customer, documents: Path):
    """This is what crypto-erasure rests on."""
    customer.registered("laptop").hort("backup", str(documents))
    recover = ("recover", *customer.signing_in(), "--kit", str(customer.kit))
    with without_the_provider_s_key(customer):
        ran = customer.device("new").run(*recover)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert "the key of account" in ran.stderr
    customer.device("new").hort(*recover)


def test_a_kit_is_proved_renewed_and_the_old_one_is_dead(customer: Customer, documents: Path, tmp_path: Path):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    assert not is_protected(laptop)
    laptop.hort("recovery-kit", "test", "--kit", str(customer.kit))
    assert is_protected(laptop)

    new_kit = tmp_path / "new-kit.pdf"
    password = ("--login", customer.login, "--password-file", str(customer.folder / "password.txt"))
    laptop.hort("recovery-kit", "renew", *password, "--kit", str(new_kit))

    old = customer.device("thief").run("recover", *customer.signing_in(), "--kit", str(customer.kit))
    assert old.returncode == 6, old.stderr
    desktop = customer.device("desktop")
    desktop.hort("recover", *customer.signing_in(), "--kit", str(new_kit))
    desktop.hort("restore", "latest", "--target", str(tmp_path / "back"))
    assert compare(documents, tmp_path / "back" / documents.relative_to("/")) == []
