"""A device that lost its copy of the master key opens the vault with its own slot, and needs no recovery key."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import private_files
from agent.cli.exits import Exit
from shared.format.slots import seal_device
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import StandIn
from tests.certificates import certified, csr

type Loss = Callable[[Path], None]


@pytest.fixture
def config(hort: Hort, tmp_path: Path, stand_in: StandIn) -> Path:
    hort("register", *signing_in(stand_in, tmp_path), "--kit", "kit.txt")
    (tmp_path / "kit.txt").unlink()
    return tmp_path / "home" / "config"


def spoil(name: str, content: bytes) -> Loss:
    return lambda config: private_files.write(config / name, content)


LOSSES: dict[str, Loss] = {
    "gone": lambda config: (config / "master.key").unlink(),
    "half": spoil("master.key", b"00" * 16),
    "no key": spoil("master.key", b"\xff\xfe"),
    "another key": spoil("master.key", b"00" * 32 + b"\n"),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_lost_key_comes_back_and_the_vault_opens(hort: Hort, config: Path, source: Path, loss: Loss) -> None:
    hort("backup", str(source))
    key = (config / "master.key").read_bytes()
    loss(config)
    said = hort("restore", "latest", f"{source}/letter", "--target", str(config.parent / "back"))
    assert "gave it back" in said.err
    assert (config / "master.key").read_bytes() == key
    assert (config / "master.key").stat().st_mode & 0o777 == 0o600
    assert "gave it back" not in hort("check").err


def test_nothing_asks_for_the_slot_while_the_key_is_there(
    hort: Hort, config: Path, source: Path, stand_in: StandIn
) -> None:
    before = stand_in.count("/slots")
    for command in (("backup", str(source)), ("restore", "latest", "--target", "back"), ("check",), ("status",)):
        hort(*command)
    assert stand_in.count("/slots") == before


def test_a_device_that_was_put_out_gets_nothing_back(hort: Hort, config: Path, stand_in: StandIn) -> None:
    [device] = stand_in.devices.values()
    device["certificate"] = certified(csr(), datetime.now(UTC))  # the service knows ours no more
    (config / "master.key").unlink()
    said = hort("snapshots", code=Exit.NOT_AUTHORISED)
    assert "does not let this device in" in said.err
    assert not (config / "master.key").exists()


HOPELESS: dict[str, Callable[[Path, dict[str, str], str], object]] = {
    "the key of its slot is, too": lambda config, slots, name: (config / "exchange.key").unlink(),
    "sealed to another device": lambda config, slots, name: spoil("exchange.key", b"11" * 32)(config),
    "no slot of this device": lambda config, slots, name: slots.pop(name),
    "is damaged": lambda config, slots, name: slots.update({name: "AAAA"}),
}


@pytest.mark.parametrize("reason", HOPELESS)
def test_what_cannot_come_back_is_said_with_the_way_out(
    hort: Hort, config: Path, stand_in: StandIn, reason: str
) -> None:
    [name] = (slot for slot in stand_in.slots if slot.startswith("device-"))
    (config / "master.key").unlink()
    HOPELESS[reason](config, stand_in.slots, name)
    said = hort("snapshots", code=Exit.FAILED)
    assert reason in said.err
    assert "hort recover" in said.err


def test_a_slot_with_a_key_of_somebody_elses_choice_is_refused(hort: Hort, config: Path, stand_in: StandIn) -> None:
    """Else whoever knows the public key could have us encrypt to a key of theirs."""
    [name] = (slot for slot in stand_in.slots if slot.startswith("device-"))
    ours = X25519PrivateKey.from_private_bytes(bytes.fromhex((config / "exchange.key").read_text()))
    forged = seal_device(bytes(32), ours.public_key(), stand_in.account, X25519PrivateKey.generate(), bytes(12))
    stand_in.slots[name] = base64.b64encode(forged).decode()
    (config / "master.key").unlink()
    assert "another key" in hort("snapshots", code=Exit.FAILED).err


def test_a_key_that_others_can_read_is_not_quietly_replaced(hort: Hort, config: Path) -> None:
    (config / "master.key").chmod(0o644)
    assert "may have leaked" in hort("snapshots", code=Exit.FAILED).err


def test_a_disk_s_lost_key_is_lost(hort: Hort, tmp_path: Path, vault: str) -> None:
    hort("init", "--vault", vault, "--kit", "disk.txt")
    (tmp_path / "home" / "config" / "master.key").unlink()
    assert "are lost" in hort("snapshots", "--vault", vault, code=Exit.FAILED).err
