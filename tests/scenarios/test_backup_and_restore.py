"""A customer backs up, loses things and gets them back."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.compare import compare
from demo.device import Device
from demo.edits import edit
from tests.scenarios.conftest import Customer
from tests.scenarios.stored import Stored


@dataclass(frozen=True)
class Report:
    files: int = 0
    sent_bytes: int = 0
    unchanged: int = 0


def restored(device: Device, source: Path, target: Path) -> Path:
    device.hort("restore", "latest", "--target", str(target))
    return target / source.relative_to("/")


def test_a_lost_device_comes_back_whole_from_the_recovery_kit(customer: Customer, documents: Path, tmp_path: Path):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    shutil.rmtree(laptop.home)

    new_laptop = customer.recovered("new-laptop")

    assert compare(documents, restored(new_laptop, documents, tmp_path / "back")) == []


def test_the_second_backup_sends_only_what_changed(customer: Customer, documents: Path, tmp_path: Path):
    laptop = customer.registered("laptop")
    first = laptop.ask(Report, "backup", str(documents))
    edit(documents)
    second = laptop.ask(Report, "backup", str(documents))

    assert second.sent_bytes < first.sent_bytes / 50
    assert compare(documents, restored(laptop, documents, tmp_path / "back")) == []


def test_every_snapshot_stays_what_it_was(customer: Customer, documents: Path, tmp_path: Path):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    before = tmp_path / "before"
    shutil.copytree(documents, before, symlinks=True)
    (documents / "photo.raw").write_bytes(b"overwritten by mistake")
    laptop.hort("backup", str(documents))

    first = Stored(customer.stack, customer.account).snapshots()[0]
    laptop.hort("restore", first, "--target", str(tmp_path / "back"), str(documents / "photo.raw"))

    back = tmp_path / "back" / documents.relative_to("/") / "photo.raw"
    assert back.read_bytes() == (before / "photo.raw").read_bytes()


def test_two_devices_of_an_account_share_what_they_have_in_common(customer: Customer, documents: Path):
    first = customer.registered("laptop").ask(Report, "backup", str(documents))
    second = customer.recovered("desktop").ask(Report, "backup", str(documents))

    assert second.files == first.files
    assert second.sent_bytes < first.sent_bytes / 2


def test_a_second_device_cannot_join_without_the_kit(customer: Customer):
    customer.registered("laptop")

    ran = customer.device("thief").run(
        "register", *customer.signing_in(), "--kit", str(customer.folder / "no-such-kit")
    )

    assert ran.returncode != 0
    assert "Traceback" not in ran.stderr


def test_a_wrong_recovery_key_is_refused_in_plain_words(customer: Customer, documents: Path, tmp_path: Path):
    customer.registered("laptop")
    other_kit = tmp_path / "other-kit.txt"
    tmp_path.joinpath("folder-vault").mkdir()
    Device(tmp_path / "elsewhere").hort(
        "init", "--vault", f"file://{tmp_path / 'folder-vault'}", "--kit", str(other_kit)
    )
    key = " ".join(line.partition(":")[2].strip() for line in other_kit.read_text().splitlines() if "Group" in line)

    ran = customer.device("new").run("recover", *customer.signing_in(), "--recovery-key", key)

    assert ran.returncode == 6, ran.stderr
    assert "key" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_wrong_password_is_refused_in_plain_words(customer: Customer):
    (customer.folder / "wrong.txt").write_text("not-the-password")
    ran = customer.device("new").run(
        *("register", "--service", customer.stack.url, "--login", customer.login),
        *("--password-file", str(customer.folder / "wrong.txt")),
    )

    assert ran.returncode == 4, ran.stderr
    assert "password" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_damaged_pack_hurts_its_files_only_and_restore_names_them(
    customer: Customer, documents: Path, tmp_path: Path
):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents / "photo.raw"))
    laptop.hort("backup", str(documents))
    stored = Stored(customer.stack, customer.account)
    first = stored.snapshots()[0]
    photo_pack = stored.largest_pack(first)
    stored.damage_pack(photo_pack, at=1 << 20)

    ran = laptop.run("restore", "latest", "--target", str(tmp_path / "back"))

    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "photo.raw" in ran.stdout + ran.stderr
    back = tmp_path / "back" / documents.relative_to("/")
    assert {difference.path for difference in compare(documents, back)} - {"."} <= {"photo.raw"}


def test_check_finds_the_damage_before_it_is_needed(customer: Customer, documents: Path):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    assert laptop.run("check", "--read-data").returncode == 0

    stored = Stored(customer.stack, customer.account)
    pack = stored.largest_pack(stored.snapshots()[0])
    stored.damage_pack(pack, at=1000)

    ran = laptop.run("check", "--read-data")
    assert ran.returncode == 8, ran.stdout + ran.stderr
    assert pack.pack_id in ran.stdout + ran.stderr


def test_packs_that_vanished_are_sent_again(customer: Customer, documents: Path, tmp_path: Path):
    """The commit is refused and names them; the agent sends their chunks anew, and the snapshot is whole."""
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))
    stored = Stored(customer.stack, customer.account)
    for pack in stored.packs():
        stored.delete_pack(pack)

    laptop.hort("backup", str(documents))

    assert compare(documents, restored(laptop, documents, tmp_path / "back")) == []


def test_status_says_how_the_backups_stand(customer: Customer, documents: Path):
    laptop = customer.registered("laptop")
    laptop.hort("backup", str(documents))

    status = json.loads(laptop.hort("status"))

    assert status["account"] == customer.account
    assert "seeded" in json.dumps(status)


@pytest.mark.parametrize("command", ["snapshots", "status", "check"])
def test_a_device_that_never_joined_is_told_so(customer: Customer, command: str):
    ran = customer.device("stranger").run(command)

    assert ran.returncode in (0, 4), ran.stderr
    assert "Traceback" not in ran.stderr
    assert "register" in ran.stdout + ran.stderr
