"""Joining an account: no crash leaves a key that nobody holds, and no wrong key leaves a trace."""

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.account_keys import KeyOrder
from agent.config import Environment, Home, NotRegistered
from agent.credentials import Password
from agent.enrolment import (
    Applicant,
    Enrolled,
    NothingToRecover,
    by_recovery_key,
    choose_account,
    join_first,
    join_with_key,
    recovery_slot,
)
from agent.kit import KitInTheWay, Making, RecoveryKit, read_kit
from agent.replies import NotAuthorised
from agent.service import Service
from agent.transport import Transport, Unreachable
from shared.api.tenancy import Account
from shared.domain.errors import Conflict, Malformed
from shared.domain.ids import AccountId, CustomerId
from shared.format.errors import WrongRecoveryKey
from shared.format.recovery import kit_code
from shared.format.slots import open_recovery
from tests.agent.stand_in import LOGIN, PASSWORD, Fault, How, StandIn

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Desk:
    """One device that wants to join, with its home and its kit."""

    def __init__(self, folder: Path, stand_in: StandIn, transport: Transport, name: str = "laptop") -> None:
        self.home = Home.find(Environment(folder / name, None))
        self.home.make()
        self.kit = folder / f"kit-{name}.txt"
        self.who = Applicant(stand_in.url, stand_in.account, name)
        self.service = Service(stand_in.url, Password(LOGIN, PASSWORD), transport)

    def join_first(self) -> Enrolled:
        order = KeyOrder(self.who.account, self.who.service_url, self.who.device_name, self.kit, NOW, os.urandom)
        return join_first(self.who, self.service, self.home, order)

    def join_with(self, recovery_key: bytes) -> Enrolled:
        return join_with_key(self.who, self.service, self.home, by_recovery_key(recovery_key))


@pytest.fixture
def desk(tmp_path: Path, stand_in: StandIn, transport: Transport) -> Desk:
    return Desk(tmp_path, stand_in, transport)


@pytest.fixture
def other(tmp_path: Path, stand_in: StandIn, transport: Transport) -> Desk:
    return Desk(tmp_path, stand_in, transport, "other")


def test_the_first_device_makes_the_key_and_a_kit_that_opens_it(stand_in: StandIn, desk: Desk) -> None:
    enrolled = desk.join_first()
    kit = read_kit(desk.kit)
    slot = base64.b64decode(stand_in.slots["recovery"])
    assert open_recovery(slot, kit.recovery_key, stand_in.account) == desk.home.master_key()
    assert kit.fingerprint == enrolled.fingerprint
    assert desk.home.registration() == enrolled.registration
    assert desk.kit.stat().st_mode & 0o777 == 0o600


def test_a_second_device_joins_with_the_kit(stand_in: StandIn, desk: Desk, other: Desk) -> None:
    first = desk.join_first()
    second = other.join_with(read_kit(desk.kit).key_for(stand_in.account))
    assert second.fingerprint == first.fingerprint
    assert other.home.master_key() == desk.home.master_key()
    assert other.home.slot() == desk.home.slot()
    assert len(stand_in.devices) == 2


def test_a_wrong_key_leaves_no_trace(stand_in: StandIn, desk: Desk, other: Desk) -> None:
    desk.join_first()
    with pytest.raises(WrongRecoveryKey):
        other.join_with(bytes(32))
    assert len(stand_in.devices) == 1
    assert list(other.home.config.iterdir()) == []


def test_there_is_nothing_to_recover_before_a_first_device(desk: Desk) -> None:
    with pytest.raises(NothingToRecover):
        desk.join_with(bytes(32))


STEPS = ["GET /api/v1/accounts/", "/devices", "PUT /api/v1/accounts/"]


@pytest.mark.parametrize("how", [How.RESET_BEFORE, How.RESET_AFTER, How.CUT_SHORT])
@pytest.mark.parametrize("step", STEPS)
def test_a_lost_answer_changes_nothing(stand_in: StandIn, desk: Desk, step: str, how: How) -> None:
    stand_in.faults = [Fault(step, how)]
    test_the_first_device_makes_the_key_and_a_kit_that_opens_it(stand_in, desk)
    assert len(stand_in.devices) == 1


@pytest.mark.parametrize("step", ["/devices", "PUT /api/v1/accounts/"])
def test_a_try_that_ended_early_is_taken_up(stand_in: StandIn, desk: Desk, step: str) -> None:
    stand_in.faults = [Fault(step, How.ANSWER, 401)] * 2
    with pytest.raises(NotAuthorised):
        desk.join_first()
    with pytest.raises(NotRegistered):
        desk.home.registration()
    printed = desk.kit.read_text()
    test_the_first_device_makes_the_key_and_a_kit_that_opens_it(stand_in, desk)
    assert desk.kit.read_text() == printed
    assert len(stand_in.devices) == 1


def test_a_crash_behind_the_slot_is_cured_by_the_kit_that_was_written(stand_in: StandIn, desk: Desk) -> None:
    desk.join_first()
    (desk.home.config / "device.json").unlink()
    desk.join_with(read_kit(desk.kit).recovery_key)
    assert len(stand_in.devices) == 1


def test_of_two_first_devices_one_wins_and_the_other_is_told(stand_in: StandIn, desk: Desk, other: Desk) -> None:
    assert recovery_slot(desk.service, stand_in.account) is None
    other.join_first()
    with pytest.raises(Conflict, match="run again with its kit"):
        desk.join_first()
    assert not desk.kit.exists()
    assert desk.home.master_key() is None
    desk.join_with(read_kit(other.kit).recovery_key)
    assert desk.home.master_key() == other.home.master_key()


def test_a_file_in_the_kits_place_is_not_touched(stand_in: StandIn, desk: Desk) -> None:
    desk.kit.write_text("my notes")
    with pytest.raises(KitInTheWay):
        desk.join_first()
    assert desk.kit.read_text() == "my notes"
    assert not stand_in.slots


def test_another_accounts_kit_is_not_overwritten(desk: Desk) -> None:
    sheet = RecoveryKit(AccountId("1" * 26), bytes(32), "F", None).sheet(Making(NOW, "old"))
    desk.kit.write_text(sheet)
    with pytest.raises(KitInTheWay):
        desk.join_first()
    assert desk.kit.read_text() == sheet


def test_a_service_that_is_away_leaves_the_home_unregistered(stand_in: StandIn, desk: Desk) -> None:
    stand_in.faults = [Fault("/devices", How.ANSWER, 503, retry_after="1000")]
    with pytest.raises(Unreachable):
        desk.join_first()
    assert desk.home.registration_if_any() is None


def account(number: int) -> Account:
    return Account(id=AccountId(str(number) * 26), customer=CustomerId("0" * 26), name=f"A{number}", created_at=NOW)


def test_an_only_account_needs_no_choice() -> None:
    assert choose_account([account(1)], None) == account(1).id


@pytest.mark.parametrize("accounts", [[], [account(1), account(2)]])
def test_a_choice_of_accounts_is_asked_for(accounts: list[Account]) -> None:
    with pytest.raises(Malformed, match="choose one with --account"):
        choose_account(accounts, None)


def test_a_foreign_account_is_refused() -> None:
    with pytest.raises(Malformed, match="you have no account"):
        choose_account([account(1)], account(2).id)


def kit_sheet() -> str:
    return RecoveryKit(AccountId("1" * 26), bytes(range(32)), "AAAA-BBBB", "https://x").sheet(Making(NOW, "laptop"))


def lowered(sheet: str) -> str:
    """Somebody typed the groups in lower case."""
    return "\n".join(line.lower() if "Groups" in line else line for line in sheet.splitlines())


def from_windows(sheet: str) -> str:
    return sheet.replace("\n", "\r\n")


def scanned(sheet: str) -> str:
    return f"page 1\n\n{sheet.replace('-', ' - ')}\n"


@pytest.mark.parametrize("change", [lowered, from_windows, scanned])
def test_a_kit_survives_being_copied(change: Callable[[str], str]) -> None:
    found = RecoveryKit.parse(change(kit_sheet()))
    assert (found.account, found.recovery_key) == (AccountId("1" * 26), bytes(range(32)))


@pytest.mark.parametrize("group", [1, 5, 6, 13])
def test_a_group_that_was_copied_wrong_is_named(group: int) -> None:
    groups = kit_code(bytes(range(32))).split("-")
    wrong = ("1" if groups[group - 1][0] != "1" else "2") + groups[group - 1][1:]
    sheet = kit_sheet().replace(groups[group - 1], wrong)
    with pytest.raises(Malformed, match=rf"group {group} \({wrong}\)"):
        RecoveryKit.parse(sheet)


@pytest.mark.parametrize("text", ["", "Account: 1", kit_sheet().partition("Recovery key")[0], "\0" * 100])
def test_what_is_no_kit_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="no recovery kit"):
        RecoveryKit.parse(text)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(bytes(200_000))
    with pytest.raises(Malformed, match="far too large"):
        read_kit(tmp_path / "film")


def test_a_kit_for_another_account_opens_nothing_here() -> None:
    with pytest.raises(WrongRecoveryKey, match="this kit is for account"):
        RecoveryKit.parse(kit_sheet()).key_for(AccountId("2" * 26))


def test_a_kit_does_not_show_its_key() -> None:
    assert "recovery_key" not in repr(RecoveryKit.parse(kit_sheet()))
