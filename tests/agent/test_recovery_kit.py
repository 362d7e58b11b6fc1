"""`hort recovery-kit`: a proof that counts, and a new kit that leaves the old one dead."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import kit_proof
from agent.cli.exits import Exit
from agent.kit import Making, RecoveryKit, read_kit, write_kit
from shared.domain.ids import AccountId
from shared.format.errors import WrongRecoveryKey
from shared.format.recovery import kit_code
from shared.format.slots import open_device, open_recovery
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import Fault, How, StandIn


@pytest.fixture
def who(hort: Hort, tmp_path: Path, stand_in: StandIn) -> list[str]:
    """How to sign in, and a device that has joined with `kit.txt`."""
    who = signing_in(stand_in, tmp_path)
    hort("register", *who, "--kit", "kit.txt")
    return who[2:]


def protected(hort: Hort) -> bool:
    return hort("status", "--json").document["at_the_service"]["protected_at"] is not None


def opens(stand_in: StandIn, kit: Path) -> bool:
    try:
        open_recovery(base64.b64decode(stand_in.slots["recovery"]), read_kit(kit).recovery_key, stand_in.account)
    except WrongRecoveryKey:
        return False
    return True


def test_a_device_is_protected_only_after_its_kit_was_tested(hort: Hort, who: list[str]) -> None:
    assert not protected(hort)
    assert "hort recovery-kit test" in hort("status").out
    said = hort("recovery-kit", "test", "--kit", "kit.txt", "--json").document
    assert said["protected_at"] is not None
    assert protected(hort)
    assert "hort recovery-kit test" not in hort("status").out


def test_the_groups_as_they_were_printed_are_a_proof_too(hort: Hort, who: list[str], tmp_path: Path) -> None:
    hort("recovery-kit", "test", "--recovery-key", kit_code(read_kit(tmp_path / "kit.txt").recovery_key))
    assert protected(hort)


def test_a_wrong_kit_proves_nothing(hort: Hort, who: list[str]) -> None:
    hort("recovery-kit", "test", "--recovery-key", kit_code(bytes(32)), code=Exit.WRONG_KEY)
    assert not protected(hort)


def test_another_account_s_kit_proves_nothing(hort: Hort, who: list[str], tmp_path: Path) -> None:
    kit = (tmp_path / "kit.txt").read_text()
    [account] = {word for word in kit.split() if len(word) == 26}
    (tmp_path / "other.txt").write_text(kit.replace(account, AccountId("1" * 26)))
    hort("recovery-kit", "test", "--kit", "other.txt", code=Exit.WRONG_KEY)
    assert not protected(hort)


def test_a_kit_that_is_renewed_during_the_test_proves_nothing(hort: Hort, who: list[str], stand_in: StandIn) -> None:
    stand_in.faults = [Fault("/kit-test", How.ANSWER, 412)]
    hort("recovery-kit", "test", "--kit", "kit.txt", code=Exit.FAILED)
    assert not protected(hort)


@pytest.mark.parametrize("new", ["new.txt", "new.pdf"])
def test_a_new_kit_opens_and_the_old_one_is_dead_at_once(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path, new: str
) -> None:
    hort("recovery-kit", "renew", *who, "--kit", new)
    assert opens(stand_in, tmp_path / new)
    assert not opens(stand_in, tmp_path / "kit.txt")
    assert protected(hort), "the new kit was tried as it lies on the disk"
    hort("recovery-kit", "test", "--kit", "kit.txt", code=Exit.WRONG_KEY)
    hort("recovery-kit", "test", "--kit", new)
    sealed = base64.b64decode(stand_in.slots["recovery"])
    assert (tmp_path / "home" / "config" / "recovery.slot").read_bytes() == sealed, "disks made from now on take it too"


def test_a_new_kit_never_takes_the_place_of_a_file(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path
) -> None:
    before = (tmp_path / "kit.txt").read_text()
    assert "exists already" in hort("recovery-kit", "renew", *who, "--kit", "kit.txt", code=Exit.FAILED).err
    assert (tmp_path / "kit.txt").read_text() == before
    assert opens(stand_in, tmp_path / "kit.txt")


def test_a_wrong_password_renews_nothing(hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong")
    hort("recovery-kit", "renew", *who, "--kit", "new.txt", code=Exit.NOT_AUTHORISED)
    assert not (tmp_path / "new.txt").exists()
    assert opens(stand_in, tmp_path / "kit.txt")


def test_of_two_renewals_at_once_the_later_one_leaves_no_kit(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(path: Path, kit: RecoveryKit, made: Making) -> None:
        write_kit(path, kit, made)
        stand_in.slots["recovery"] = "AAAA"  # another device's

    monkeypatch.setattr(kit_proof, "write_kit", meanwhile)
    hort("recovery-kit", "renew", *who, "--kit", "new.txt", code=Exit.FAILED)
    assert stand_in.slots["recovery"] == "AAAA"
    assert not (tmp_path / "new.txt").exists()


@pytest.mark.parametrize("how", [How.RESET_BEFORE, How.RESET_AFTER, How.CUT_SHORT])
@pytest.mark.parametrize("where", ["/slots/recovery", "/kit-test"])
def test_a_lost_answer_changes_nothing(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path, where: str, how: How
) -> None:
    stand_in.faults = [Fault(where, how)]
    hort("recovery-kit", "renew", *who, "--kit", "new.txt")
    assert opens(stand_in, tmp_path / "new.txt")
    assert protected(hort)


def test_a_renewal_of_unknown_end_keeps_both_kits(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path
) -> None:
    """It may have been done, and only the answers were lost: `recovery-kit test` tells which kit is alive."""
    stand_in.faults = [
        Fault("PUT /api/v1/accounts/", How.RESET_AFTER),
        *[Fault("PUT /api/v1/", How.ANSWER, 503)] * 10_000,
    ]
    hort("recovery-kit", "renew", *who, "--kit", "new.txt", code=Exit.UNREACHABLE)
    assert opens(stand_in, tmp_path / "new.txt")
    stand_in.faults.clear()
    hort("recovery-kit", "test", "--kit", "new.txt")


def test_a_device_has_a_slot_that_opens_with_its_own_key(
    hort: Hort, who: list[str], stand_in: StandIn, tmp_path: Path
) -> None:
    config = tmp_path / "home" / "config"
    [device] = stand_in.devices
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex((config / "exchange.key").read_text()))
    master = open_device(base64.b64decode(stand_in.slots[f"device-{device}"]), key, stand_in.account)
    assert master.hex() == (config / "master.key").read_text().strip()
    assert (config / "exchange.key").stat().st_mode & 0o777 == 0o600


def test_a_first_device_may_write_its_kit_as_a_page_to_print(hort: Hort, stand_in: StandIn, tmp_path: Path) -> None:
    hort("register", *signing_in(stand_in, tmp_path), "--kit", "kit.pdf")
    assert opens(stand_in, tmp_path / "kit.pdf")
    hort("recovery-kit", "test", "--kit", "kit.pdf")
    assert protected(hort)


def test_a_disk_s_kit_is_tested_without_a_service(hort: Hort, vault: str) -> None:
    hort("init", "--vault", vault, "--kit", "disk.txt")
    said = hort("recovery-kit", "test", "--kit", "disk.txt", "--json").document
    assert said["protected_at"] is None
    hort("recovery-kit", "test", "--recovery-key", kit_code(bytes(32)), code=Exit.WRONG_KEY)
