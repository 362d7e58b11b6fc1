"""A customer backs up every day: what is kept, what goes, and how it is got back (N3, N4, G2)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.device import Device
from demo.stack import Stack
from shared.domain.deletions import Kind
from shared.domain.ids import SessionId
from tests.scenarios.conftest import Customer, enrol
from tests.scenarios.nights import Nights, administrator
from tests.scenarios.stored import Stored

DAYS = 20
BACKED_UP = {1, 2, 3, 6, 10, 15, 20}


@dataclass(frozen=True)
class Report:
    session: SessionId


@dataclass(frozen=True, slots=True)
class Diary:
    """Twenty days of somebody who writes a page, with a backup on some evenings, and the default of fourteen days."""

    customer: Customer
    laptop: Device
    page: Path
    snapshots: dict[int, SessionId]
    """By day, from 1 on."""

    def restored(self, day: int, target: Path) -> str:
        """The page as it was in the evening of that day."""
        self.laptop.hort("restore", self.snapshots[day], "--target", str(target))
        return (target / self.page.relative_to("/")).read_text()

    def listed(self) -> dict[int, str | None]:
        """By day, until when an expired snapshot can be taken back; `None` for all others."""
        found = {each["session"]: each for each in json.loads(self.laptop.hort("snapshots"))["snapshots"]}
        return {day: found[s]["take_back_until"] for day, s in self.snapshots.items() if s in found}


def written_on(day: int) -> str:
    return f"Day {day} of twenty.\n" * 500


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Diary]:
    folder = tmp_path_factory.mktemp("diary")
    with Stack.start(folder / "service", virtual_clock=True) as stack:
        customer = enrol(stack, folder)
        diary = Diary(customer, customer.registered("laptop"), folder / "documents" / "page.txt", {})
        diary.page.parent.mkdir()
        for day in range(1, DAYS + 1):
            if day in BACKED_UP:
                diary.page.write_text(written_on(day))
                diary.snapshots[day] = diary.laptop.ask(Report, "backup", str(diary.page.parent)).session
            if day == 1:
                administrator(customer).hold(customer, diary.snapshots[day], "file 7 O 12/26")
            Nights(stack).pass_by()
        yield diary


def test_a_day_within_the_last_fourteen_is_restored(diary: Diary, tmp_path: Path) -> None:
    assert diary.restored(10, tmp_path) == written_on(10)


def test_a_day_before_that_is_gone_and_the_log_says_why(diary: Diary, tmp_path: Path) -> None:
    ran = diary.laptop.run("restore", diary.snapshots[3], "--target", str(tmp_path))
    assert ran.returncode != 0
    assert "Traceback" not in ran.stderr
    log = administrator(diary.customer).deletions(diary.customer)
    (entry,) = (each for each in log if each.kind is Kind.SNAPSHOT and each.name == diary.snapshots[3])
    assert "expired at" in entry.reason


def test_what_was_uploaded_for_it_is_gone_from_storage_too(diary: Diary) -> None:
    stored = Stored(diary.customer.stack, diary.customer.account)
    assert not {pack.session for pack in stored.packs()} & {diary.snapshots[day] for day in (2, 3)}


def test_a_held_snapshot_stays_whatever_the_policy_says(diary: Diary, tmp_path: Path) -> None:
    assert diary.restored(1, tmp_path) == written_on(1)


def test_an_expired_snapshot_is_taken_back_within_a_day_and_restored(diary: Diary, tmp_path: Path) -> None:
    anna = administrator(diary.customer)
    there = {each.id: each for each in anna.snapshots(diary.customer.account)}
    (day,) = (d for d, s in diary.snapshots.items() if s in there and there[s].expired_at is not None)
    assert [d for d, until in diary.listed().items() if until is not None] == [day]
    refused = diary.laptop.run("restore", diary.snapshots[day], "--target", str(tmp_path / "too-late"))
    assert refused.returncode != 0, "it is shown, and not offered"
    assert "Traceback" not in refused.stderr
    anna.take_back(diary.customer.account, diary.snapshots[day])
    assert diary.restored(day, tmp_path) == written_on(day)


def test_after_all_these_nights_everything_that_is_listed_is_sound(diary: Diary) -> None:
    diary.laptop.hort("check", "--read-data")
