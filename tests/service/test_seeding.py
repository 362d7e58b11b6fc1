"""A device's first backup, from the outside and in virtual time: waiting, reminded, and how it ends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.service.people import Customer, Device, Service, User, register
from tests.service.vault import Backup, back_up, begin


@pytest.fixture(scope="module")
def customer(timeless: Service) -> Customer:
    return timeless.customer()


@pytest.fixture(scope="module")
def user(customer: Customer) -> User:
    return customer.user()


@pytest.fixture(scope="module")
def account(customer: Customer) -> str:
    return customer.account()


@pytest.fixture
def device(timeless: Service, user: User, account: str) -> Device:
    return register(timeless, user.log_in(), account)


def seen(device: Device) -> Mapping[str, Any]:
    """The seeding, once all that is due has happened."""
    device.service.advance(seconds=0)
    return device.log_in().get(f"{device.path}/seeding").made(200)


def commit(backup: Backup) -> None:
    backup.commit(backup.prepare([backup.put_pack(b"first" * 10)])).made(200)


def test_before_the_first_session_there_is_no_seeding(device: Device) -> None:
    device.log_in().get(f"{device.path}/seeding").refused(404, "not-found")


def test_a_first_backup_from_waiting_through_progress_to_seeded(device: Device) -> None:
    backup = begin(device)
    waiting = seen(device)
    assert (waiting["state"], waiting["session"], waiting["reminders"]) == ("waiting", backup.id, 0)
    due = datetime.fromisoformat(waiting["next_step_at"]) - datetime.fromisoformat(backup.opened["opened_at"])
    assert abs(due - timedelta(days=1)) < timedelta(minutes=1)
    backup.client.post(f"{backup.path}/renew", {"done_bytes": 30, "total_bytes": 100}).made(200)
    on_the_way = seen(device)
    assert (on_the_way["state"], on_the_way["done_bytes"], on_the_way["total_bytes"]) == ("waiting", 30, 100)
    commit(backup)
    assert seen(device)["state"] == "seeded"


def test_a_silent_device_is_reminded_after_1_3_and_7_days_and_given_up_after_14(device: Device) -> None:
    begin(device)
    told: list[tuple[int, str, int]] = []
    for day in range(1, 16):
        device.service.advance(days=1, minutes=1 if day == 1 else 0)
        seeding = seen(device)
        told.append((day, seeding["state"], seeding["reminders"]))
    assert [reminders for day, _, reminders in told if day in (1, 2, 3, 6, 7, 13)] == [1, 1, 2, 2, 3, 3]
    assert [state for day, state, _ in told if day in (13, 14, 15)] == ["waiting", "expired", "expired"]


def test_a_sign_of_life_starts_the_patience_anew(device: Device) -> None:
    begin(device)
    device.service.advance(days=13)
    backup = begin(device)
    backup.client.post(f"{backup.path}/renew", {"done_bytes": 1, "total_bytes": 2}).made(200)
    device.service.advance(days=13)
    assert seen(device)["state"] == "waiting"
    device.service.advance(days=2)
    assert seen(device)["state"] == "expired"


def test_a_first_backup_that_was_given_up_is_taken_up_again(device: Device) -> None:
    begin(device)
    device.service.advance(days=15)
    assert seen(device)["state"] == "expired"
    backup = begin(device)
    again = seen(device)
    assert (again["state"], again["session"], again["reminders"]) == ("waiting", backup.id, 0)
    commit(backup)
    assert seen(device)["state"] == "seeded"


def test_a_first_backup_can_be_cancelled_and_only_once(device: Device, user: User) -> None:
    begin(device)
    cancel = f"{device.path}/seeding/cancel"
    user.log_in().post(cancel).made(202)
    assert seen(device)["state"] == "cancelled"
    user.log_in().post(cancel).refused(409, "conflict")
    device.service.advance(days=15)
    assert seen(device)["state"] == "cancelled"


def test_a_cancelled_first_backup_is_taken_up_by_the_next_session(device: Device, user: User) -> None:
    begin(device)
    user.log_in().post(f"{device.path}/seeding/cancel").made(202)
    assert seen(device)["state"] == "cancelled"
    commit(begin(device))
    assert seen(device)["state"] == "seeded"


def test_what_never_began_cannot_be_cancelled(device: Device, user: User) -> None:
    user.log_in().post(f"{device.path}/seeding/cancel").refused(404, "not-found")


def test_a_second_backup_is_no_first_one(device: Device) -> None:
    back_up(device)
    assert seen(device)["state"] == "seeded"
    second = begin(device)
    device.service.advance(days=15)
    assert seen(device)["state"] == "seeded"
    assert second.id != seen(device)["session"]


def test_a_killed_host_goes_on_with_the_reminders(device: Device, timeless: Service) -> None:
    begin(device)
    timeless.advance(days=1, minutes=1)
    assert seen(device)["reminders"] == 1
    before = timeless.now()
    timeless.stack.kill_host()
    timeless.stack.start_host()
    assert timeless.now() >= before
    assert seen(device)["state"] == "waiting"
    timeless.advance(days=2)
    assert seen(device)["reminders"] == 2
    timeless.stack.kill_host()
    timeless.stack.start_host()
    timeless.advance(days=12)
    assert (seen(device)["state"], seen(device)["reminders"]) == ("expired", 3)


def test_a_snapshot_is_found_though_the_host_was_killed_at_its_commit(device: Device, timeless: Service) -> None:
    commit(begin(device))
    timeless.stack.kill_host()
    timeless.stack.start_host()
    timeless.advance(days=1, minutes=1)
    assert (seen(device)["state"], seen(device)["reminders"]) == ("seeded", 0)


def test_a_backup_goes_on_after_the_host_was_killed(device: Device, timeless: Service) -> None:
    backup = begin(device)
    pack = backup.put_pack(b"before" * 10)
    timeless.stack.kill_host()
    timeless.stack.start_host()
    refs_sha256 = backup.prepare([pack, backup.put_pack(b"after" * 10)])
    backup.commit(refs_sha256).made(200)
    assert seen(device)["state"] == "seeded"
