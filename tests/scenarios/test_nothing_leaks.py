"""What the provider holds after a whole story tells it nothing: no content, no name, no key, no password (N6).

Told on the service as it is shipped, with passwords and keys at their full price.
"""

# pyright: reportUnknownMemberType=false
import base64
import json
import secrets
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from agent.config import Environment, Home
from demo.device import Device
from demo.stack import Stack
from shared.domain.lockout import FREE_FOR_USER
from shared.format.recovery import parse_kit_code
from tests.scenarios.conftest import Customer
from tests.scenarios.test_users import log_in

CONTENT = b"the merger is signed on Tuesday"
FILE_NAME = "merger-with-globex.odt"
FOLDER_NAME = "board-minutes"
PASSPHRASE = "seventeen badgers polish the brass lanterns"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A service of its own, for the customers too: all that it holds comes from here."""
    with Stack.start(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def told(customer: Customer, tmp_path: Path) -> dict[str, bytes]:
    """A whole story; then every secret of it, by what it is called."""
    folder = tmp_path / FOLDER_NAME
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(CONTENT * 3)
    (folder / "large.bin").write_bytes(CONTENT * 40_000)
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(folder))
    (customer.folder / "passphrase.txt").write_text(PASSPHRASE)
    as_anna = ("--login", customer.login, "--password-file", str(customer.folder / "password.txt"))
    laptop.hort("passphrase", "set", *as_anna, "--passphrase-file", str(customer.folder / "passphrase.txt"))
    new = customer.recovered("new-laptop")
    new.hort("restore", "latest", "--target", str(tmp_path / "back"))
    new.hort("check", "--read-data")
    return {
        "content": CONTENT,
        "file name": FILE_NAME.encode(),
        "folder name": FOLDER_NAME.encode(),
        "password": customer.password.encode(),
        "passphrase": PASSPHRASE.encode(),
        "recovery key": _recovery_key(customer.kit),
        "recovery code": _code(customer.kit).encode(),
        "master key": _master_key(_home(laptop)),
        "device key": _private_bytes(_home(laptop)),
    }


def test_nothing_that_the_provider_stores_or_logs_holds_a_secret(told: dict[str, bytes], stack: Stack) -> None:
    held = dict(provider_holds(stack))
    assert len(held) > 10, "the search looked at nothing"
    found = [(name, where) for where, body in held.items() for name, secret in told.items() if reveals(body, secret)]
    assert found == []


def test_a_wrong_password_and_an_unknown_user_take_as_long(customer: Customer) -> None:
    def seconds(login: str) -> float:
        begun = time.perf_counter()
        assert log_in(replace(customer, login=login), "wrong") == 401
        return time.perf_counter() - begun

    logins = (customer.login, f"nobody.{secrets.token_hex(8)}@example.com", f"! {secrets.token_hex(8)}")
    rounds = [[seconds(login) for login in logins] for _ in range(FREE_FOR_USER)]
    known, unknown, strange = (statistics.median(column) for column in zip(*rounds, strict=True))
    # The hash takes nearly all of the time: an answer without it would come in a tenth.
    assert unknown > known / 2
    assert strange > known / 2


def test_the_search_would_find_what_it_looks_for() -> None:
    secret = b"0123456789abcdef"
    for shape in shapes(secret):
        assert reveals(b"xx" + shape + b"yy", secret)
    assert not reveals(b"nothing here", secret)


def provider_holds(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Every blob, every row, and the files of the service: log, durable journal."""
    storage = stack.settings.storage.get_secret_value()
    blobs = BlobServiceClient.from_connection_string(storage)
    for container in blobs.list_containers():
        client = blobs.get_container_client(container.name)
        for blob in client.list_blobs():
            yield f"blob {container.name}/{blob.name}", client.download_blob(blob.name).readall() + blob.name.encode()
    for table in TableServiceClient.from_connection_string(storage).list_tables():
        client = TableServiceClient.from_connection_string(storage).get_table_client(table.name)
        for row in client.list_entities():
            yield (
                f"row {table.name}/{row['RowKey']}",
                b"\n".join(_bytes(value) for value in cast("dict[str, object]", row).values()),
            )
    for path in (stack.log, *(stack.state / "host").rglob("*")):
        if path.is_file():
            yield f"file {path.name}", path.read_bytes()


def reveals(body: bytes, secret: bytes) -> bool:
    return any(shape in body for shape in shapes(secret))


def shapes(secret: bytes) -> Iterator[bytes]:
    """As it is, and as programs write bytes: hex, base 64 and its URL form, JSON text."""
    yield secret
    yield secret.hex().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield json.dumps(secret.decode("latin-1")).strip('"').encode()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _code(kit: Path) -> str:
    lines = (line for line in kit.read_text().splitlines() if "Group" in line and ":" in line)
    return "-".join(line.rpartition(":")[2].strip() for line in lines)


def _recovery_key(kit: Path) -> bytes:
    return parse_kit_code(_code(kit))


def _home(device: Device) -> Home:
    return Home.find(Environment(device.home, None))


def _private_bytes(home: Home) -> bytes:
    key = home.device_key()
    assert key is not None
    return key.private_bytes_raw()


def _master_key(home: Home) -> bytes:
    key = home.master_key()
    assert key is not None
    return key
