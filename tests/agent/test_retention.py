"""`hort retention`, and marks on snapshots: what people see before anything goes, and how they keep it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.cli.exits import Exit
from tests.agent import stand_in_retention
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import StandIn

EXPIRED = "expired, take back until"


@dataclass(frozen=True, slots=True)
class House:
    """A registered device with two snapshots."""

    hort: Hort
    service: StandIn
    as_anna: list[str]
    old: str
    new: str

    def marked(self, *arguments: str) -> Any:
        return self.hort(*arguments, *self.as_anna, "--json").document


@pytest.fixture
def house(hort: Hort, stand_in: StandIn, tmp_path: Path) -> House:
    who = signing_in(stand_in, tmp_path)
    hort("register", *who)
    (tmp_path / "letter").write_text("dear reader")
    old, new = (hort("backup", "letter", "--json").document["session"] for _ in range(2))
    return House(hort, stand_in, who[2:], old, new)


def test_an_expired_snapshot_is_listed_with_its_last_chance_and_not_restored(house: House) -> None:
    until = stand_in_retention.expire(house.service, house.old)
    lines = house.hort("snapshots").out.splitlines()
    assert [f"{EXPIRED} {until:%Y-%m-%d %H:%M}" in line for line in lines[1:]] == [True, False]
    first, second = house.hort("snapshots", "--json").document["snapshots"]
    assert datetime.fromisoformat(first["take_back_until"]) == until
    assert second["take_back_until"] is None
    assert "names no snapshots" in house.hort("ls", house.old, code=Exit.FAILED).err


def test_an_expired_snapshot_is_taken_back(house: House) -> None:
    stand_in_retention.expire(house.service, house.old)
    assert "taken back" in house.hort("pin", house.old, *house.as_anna, code=Exit.FAILED).err
    taken = house.marked("take-back", house.old)
    assert (taken["session"], taken["take_back_until"], taken["pinned"]) == (house.old, None, True)
    assert EXPIRED not in house.hort("snapshots").out
    house.hort("ls", house.old)


def test_a_snapshot_is_pinned_and_unpinned(house: House) -> None:
    assert house.hort("pin", house.new, *house.as_anna).out == f"Snapshot {house.new}: pinned\n"
    assert house.hort("snapshots").out.splitlines()[2].endswith("  pinned")
    assert "the policy alone decides" in house.hort("unpin", house.new, *house.as_anna).out


def test_a_hold_is_placed_for_a_reason_shown_and_released(house: House) -> None:
    (hold,) = house.marked("hold", house.old, "--reason", "file 7 O 12/26")["holds"]
    assert (hold["reason"], hold["by_provider"]) == ("file 7 O 12/26", False)
    assert "held: file 7 O 12/26" in house.hort("snapshots").out
    explained = house.hort("retention", "explain", house.old).out
    assert hold["id"] in explained
    assert "no holds" in house.hort("release", house.old, "7zzzzzzz", *house.as_anna, code=Exit.FAILED).err
    assert house.marked("release", house.old, hold["id"])["holds"] == []


def test_a_device_alone_marks_nothing(house: House) -> None:
    """Whoever has stolen it must not let go what was kept: a password is asked."""
    said = house.hort("unpin", house.new, "--login", "anna@example.com", code=Exit.FAILED)
    assert "--password-file or HORT_PASSWORD" in said.err


def test_the_policy_is_shown_in_words_and_as_a_document(house: House) -> None:
    assert "Policy       all of 14 days (Europe/Berlin), the default" in house.hort("retention", "show").out
    shown = house.hort("retention", "show", "--json").document
    assert (shown["policy"]["keep_within_days"], shown["sets"], shown["pending"]) == (14, {}, None)


def test_a_policy_is_chosen_by_rules_or_by_name(house: House) -> None:
    done = house.marked("retention", "set", "--daily", "7", "--time-zone", "UTC")
    assert (done["policy"]["daily"], done["policy"]["time_zone"]) == (7, "UTC")
    of_set = house.marked("retention", "set", "--keep-within-days", "90", "--for-set", "mail")
    assert (of_set["policy"]["daily"], of_set["sets"]["mail"]["keep_within_days"]) == (7, 90)
    named = house.marked("retention", "set", "--preset", "netgo-gfs-12m")
    assert (named["policy"]["monthly"], named["sets"]["mail"]["keep_within_days"]) == (13, 90), "the set has its own"


def test_a_shortening_wants_the_account_s_id(house: House) -> None:
    shorter = ("retention", "set", "--keep-within-days", "7", *house.as_anna)
    assert "confirm with the account's id" in house.hort(*shorter, code=Exit.FAILED).err
    house.hort(*shorter, "--confirm", house.service.account)
    assert "all of 7 days" in house.hort("retention", "show").out
    assert "no change waits" in house.hort("retention", "call-off", *house.as_anna, code=Exit.FAILED).err


@pytest.mark.parametrize(
    "wrong",
    [
        "set",
        "set --preset gold",
        "set --preset netik-14d --last 3",
        "set --preset netik-14d --for-set mail",
        "set --for-set mail",
        "set --time-zone Europe/Bern",
        "set --last 3 --for-set Mail",
        "set --last 3 --confirm yes",
        "simulate --daily 100000",
    ],
)
def test_what_is_no_policy_is_a_usage_error_and_changes_nothing(house: House, wrong: str) -> None:
    before = house.hort("retention", "show").out
    house.hort("retention", *wrong.split(), *house.as_anna, code=Exit.USAGE)
    assert house.hort("retention", "show").out == before


def test_a_simulation_is_a_table_of_what_would_go_and_why(house: House) -> None:
    said = house.hort("retention", "simulate", "--last", "1", "--keep-within-days", "0", *house.as_anna).out
    head, titles, *rows = said.splitlines()
    assert head.endswith("1 stay, 1 go")
    assert titles.split() == ["SNAPSHOT", "COMMITTED", "(UTC)", "WHY"]
    assert [row.split()[0] for row in rows] == [house.new, house.old]
    assert rows[0].endswith("stays  newest of device")
    assert rows[1].endswith("goes   older than 0 days")
    later = house.marked("retention", "simulate", "--at", "2030-01-01")
    assert (later["at"], [each["verdict"] for each in later["snapshots"]]) == (
        "2030-01-01T00:00:00Z",
        ["keep", "expire"],
    )


def test_a_snapshot_is_explained_to_the_device(house: House) -> None:
    said = house.hort("retention", "explain", house.new[:20]).out
    assert said.splitlines()[1] == "stays: newest of device; within 14 days"
    document = house.hort("retention", "explain", house.new, "--json").document
    assert (document["snapshot"]["session"], document["verdict"]) == (house.new, "keep")
