"""`hort devices`: an administrator's commands, on any machine, and never the wrong device."""

from pathlib import Path

import pytest

from agent.cli.exits import Exit
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import StandIn


@pytest.fixture
def who(hort: Hort, tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How to sign in, at a machine that is none of the account's three devices; two have the same name."""
    who = signing_in(stand_in, tmp_path)
    for name in ("laptop", "desk", "desk"):
        monkeypatch.setenv("HORT_HOME", str(tmp_path / f"device {len(stand_in.devices)}"))
        hort("register", *who, "--name", name, "--kit", "kit.txt")
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "elsewhere"))
    return who


def states(stand_in: StandIn) -> list[str]:
    return [device["state"] for device in stand_in.devices.values()]


def test_devices_are_listed_for_people_and_programs(hort: Hort, who: list[str], stand_in: StandIn) -> None:
    listed = hort("devices", "list", *who, "--json").document["devices"]
    assert [(each["id"], each["state"]) for each in listed] == [(each, "active") for each in stand_in.devices]
    heading, *lines = hort("devices", "list", *who).out.splitlines()
    assert heading.startswith("DEVICE")
    assert [line.split()[0] for line in lines] == list(stand_in.devices)


def test_a_device_is_revoked_by_a_name_that_is_its_own(hort: Hort, who: list[str], stand_in: StandIn) -> None:
    hort("devices", "revoke", "laptop", *who)
    assert states(stand_in) == ["revoked", "active", "active"]
    hort("devices", "revoke", "laptop", *who, code=Exit.FAILED)


def test_of_two_devices_with_one_name_none_is_revoked_by_it(hort: Hort, who: list[str], stand_in: StandIn) -> None:
    assert "give the id" in hort("devices", "revoke", "desk", *who, code=Exit.USAGE).err
    assert states(stand_in) == ["active"] * 3
    hort("devices", "revoke", list(stand_in.devices)[1], *who)
    assert states(stand_in) == ["active", "revoked", "active"]
    hort("devices", "revoke", "desk", *who)
    assert states(stand_in) == ["active", "revoked", "revoked"]


def test_a_registered_device_knows_the_service_and_another_machine_has_to_be_told(
    hort: Hort, who: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--service" in hort("devices", "list", *who[2:], code=Exit.USAGE).err
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "device 0"))
    assert len(hort("devices", "list", *who[2:], "--json").document["devices"]) == 3


def test_a_wrong_password_lists_nothing_and_leaves_nothing_behind(
    hort: Hort, who: list[str], tmp_path: Path, stand_in: StandIn
) -> None:
    hort("devices", "list", *who)
    stand_in.password = "another"
    hort("devices", "list", *who, code=Exit.NOT_AUTHORISED)
    assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == []
