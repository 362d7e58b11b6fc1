"""Things break while a backup runs: the agent, the service, the clock. Nothing is lost and nothing is sent twice."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import urllib3

from demo.compare import compare
from demo.device import Device
from demo.stack import Stack
from shared.domain.ids import SessionId
from tests.scenarios.conftest import Customer, enrol
from tests.scenarios.stored import Stored

KILLS = 10


@dataclass(frozen=True)
class Report:
    session: SessionId
    resumed: bool


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 MB that do not compress, and some small files: enough packs to be killed between. Nobody changes them."""
    root, chance = tmp_path_factory.mktemp("archive"), random.Random(7)
    for n in range(5):
        (root / f"film-{n}.bin").write_bytes(chance.randbytes(40 << 20))
    for n in range(500):
        (root / f"note-{n}.txt").write_bytes(chance.randbytes(chance.randint(1, 20_000)))
    return root


def test_a_backup_killed_at_random_goes_on_with_its_session_and_sends_no_finished_pack_twice(
    customer: Customer, archive: Path, tmp_path: Path
):
    laptop, chance = customer.registered("laptop"), random.Random()
    for _ in range(KILLS):
        running = laptop.start("backup", str(archive))
        time.sleep(chance.uniform(0.4, 2.0))
        running.kill()
        running.wait()
    report = laptop.ask(Report, "backup", str(archive))

    stored = Stored(customer.stack, customer.account)
    snapshots = stored.snapshots()
    needed = {pack.name for snapshot in snapshots for pack in stored.refs(snapshot).packs}
    assert report.session in snapshots
    assert {pack.session for pack in stored.packs()} <= set(snapshots), "a session was begun and left behind"
    assert stored.packs().keys() == needed, "a pack was sent and then not used"
    assert restored_is_the_same(laptop, archive, tmp_path)


def test_a_service_killed_during_a_backup_is_waited_for(own_stack: Stack, archive: Path, tmp_path: Path):
    customer = enrol(own_stack, tmp_path)
    laptop = customer.registered("laptop")
    running = laptop.start("backup", str(archive))
    time.sleep(1.0)
    own_stack.kill_host()
    time.sleep(3.0)
    own_stack.start_host()

    assert running.wait(120) == 0
    assert restored_is_the_same(laptop, archive, tmp_path)


def test_a_session_whose_lease_ran_out_is_given_up_and_the_backup_starts_a_new_one(
    own_stack: Stack, archive: Path, tmp_path: Path
):
    customer = enrol(own_stack, tmp_path)
    laptop = customer.registered("laptop")
    cut_off(customer, laptop, archive)
    move_clock(own_stack, timedelta(hours=7))

    report = laptop.ask(Report, "backup", str(archive))

    assert not report.resumed
    assert restored_is_the_same(laptop, archive, tmp_path)


def test_a_device_whose_first_backup_stays_away_is_given_up_after_14_days_and_can_begin_again(
    own_stack: Stack, archive: Path, tmp_path: Path
):
    customer = enrol(own_stack, tmp_path)
    laptop = customer.registered("laptop")
    cut_off(customer, laptop, archive)
    assert first_backup(laptop) == "waiting"

    for _ in range(15):
        move_clock(own_stack, timedelta(days=1))
        time.sleep(0.3)
    assert first_backup(laptop) == "expired"

    laptop.hort("backup", str(archive))
    assert eventually(lambda: first_backup(laptop) == "seeded")


def cut_off(customer: Customer, device: Device, source: Path) -> None:
    """A backup that is killed when its first pack is there, however slow the machine is."""
    running = device.start("backup", str(source))
    assert eventually(lambda: bool(Stored(customer.stack, customer.account).packs()), within_seconds=60)
    running.kill()
    running.wait()


def restored_is_the_same(device: Device, source: Path, tmp_path: Path) -> bool:
    target = tmp_path / "back"
    device.hort("restore", "latest", "--target", str(target))
    return compare(source, target / source.relative_to("/")) == []


def first_backup(device: Device) -> str:
    return json.loads(device.hort("status"))["at_the_service"]["first_backup"]["state"]


def move_clock(stack: Stack, by: timedelta) -> None:
    body = json.dumps({"advance_seconds": by.total_seconds()})
    reply = urllib3.request("POST", f"{stack.url}/admin/clock", body=body)
    assert reply.status < 300, reply.data


def eventually(holds: Callable[[], bool], within_seconds: float = 10) -> bool:
    deadline = time.monotonic() + within_seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
