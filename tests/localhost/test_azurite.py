"""Azurite: started on free ports, kept alive, stopped so that nothing is lost."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from localhost import azurite as module
from localhost.azurite import Azurite
from tests.localhost.conftest import Launcher

if module.installed_version() != module.pinned_version():
    pytest.skip("Azurite is not installed: python -m localhost.azurite --install", allow_module_level=True)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("azurite")


@pytest.fixture(scope="module")
def azurite(state: Path) -> Iterator[Azurite]:
    with Azurite.start(state) as running:
        yield running


def test_blobs_and_tables_answer_the_current_sdk(azurite: Azurite) -> None:
    blobs: Any = BlobServiceClient.from_connection_string(azurite.connection_string)
    container = blobs.create_container("kept")
    container.upload_blob("blob", b"bytes")
    assert container.download_blob("blob").readall() == b"bytes"
    tables: Any = TableServiceClient.from_connection_string(azurite.connection_string)
    table = tables.create_table("kept")
    table.create_entity({"PartitionKey": "p", "RowKey": "r", "value": 7})
    assert table.get_entity("p", "r")["value"] == 7


def test_one_that_dies_is_started_again_on_the_same_ports(azurite: Azurite) -> None:
    before, connection = azurite.pid, azurite.connection_string
    os.kill(before, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while azurite.pid == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    azurite.wait_ready()
    assert azurite.connection_string == connection
    assert BlobServiceClient.from_connection_string(connection).get_service_properties()


def test_one_that_is_interrupted_while_it_starts_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[Azurite] = []

    def interrupted(self: Azurite) -> None:
        started.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Azurite, "wait_ready", interrupted)
    with pytest.raises(KeyboardInterrupt), Azurite.start(tmp_path):
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


def rows(connection: str) -> Any:
    tables: Any = TableServiceClient.from_connection_string(connection)
    return tables.create_table_if_not_exists("rows")


def test_a_killed_host_takes_its_azurite_along_and_the_next_one_finds_the_data(launch: Launcher) -> None:
    first = launch("web", "--azurite")
    rows(str(first.connection_string)).create_entity({"PartitionKey": "p", "RowKey": "r"})
    first.kill()
    second = launch("web", "--azurite")
    assert len(list(rows(str(second.connection_string)).list_entities())) == 1
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", re.findall("BlobEndpoint=([^;]+)", str(first.connection_string))[0], retries=False)


def test_a_stopped_host_leaves_no_azurite_behind(launch: Launcher) -> None:
    host = launch("web", "--azurite")
    assert host.stop() == 0
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", re.findall("BlobEndpoint=([^;]+)", str(host.connection_string))[0], retries=False)


def test_the_lock_file_pins_one_version_and_names_no_registry() -> None:
    lock = json.loads((module.HERE / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/azurite"]["version"] == module.pinned_version()
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_a_version_that_is_there_is_not_installed_again() -> None:
    began = time.monotonic()
    module.install()
    assert time.monotonic() - began < 1
