"""The nightly sweep and the inspections, played by hand: windows, progress, and trouble that stays where it is."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrators import inspections as looks
from orchestrators import sweep as sweeps
from shared.contracts import inspections, sweep
from shared.contracts.inspections import AccountsWindow, InspectAccount, InspectAll, NextAccounts, Round
from shared.contracts.sweep import (
    AccountKey,
    AccountsSurveyed,
    DeletePacks,
    PacksCondemned,
    PacksDeleted,
    PacksDoomed,
    ReportSweep,
    SessionsCleared,
    SnapshotsExpired,
    SurveyAccounts,
    SweepAccount,
    SweepAll,
    SweepEnded,
    Totals,
)
from shared.domain.deletions import SweepReport
from shared.domain.ids import AccountId, CustomerId
from shared.domain.inspections import Inspection, InspectionKind
from tests.workflows.driver import Answer, Part, Play, answering

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
CUSTOMER = CustomerId.of_number(1)
KEYS = [AccountKey(CUSTOMER, AccountId.of_number(n)) for n in range(1, 8)]
FREED_BYTES = 64
STEPS = ["delete_packs", "expire_snapshots", "doom_packs", "delete_packs", "condemn_packs", "clear_sessions"]
PARTS = {
    sweep.sweep_account.name: Part(sweep.sweep_account, sweeps.sweep_account),
    inspections.inspect_account.name: Part(inspections.inspect_account, looks.inspect_account),
}


@dataclass(slots=True)
class House:
    """Accounts in windows of three, and what the activities do to them."""

    idle: set[AccountKey] = field(default_factory=set[AccountKey])
    failing: dict[AccountId, Callable[[], str | None]] = field(
        default_factory=dict[AccountId, Callable[[], str | None]]
    )
    """Says what goes wrong with an account, each time it is asked."""
    to_delete: int = 0
    """Windows of packs that each account's sweep deletes."""
    lost_refs: bool = False
    reports: list[ReportSweep] = field(default_factory=list[ReportSweep])

    def survey(self, order: SurveyAccounts) -> AccountsSurveyed:
        window = self.window(NextAccounts(order.after, order.limit))
        busy = tuple(key for key in window.accounts if key not in self.idle)
        return AccountsSurveyed(len(window.accounts), busy, window.last)

    def window(self, order: NextAccounts) -> AccountsWindow:
        start = 0 if order.after is None else KEYS.index(order.after) + 1
        window = tuple(KEYS[start : start + order.limit])
        return AccountsWindow(window, window[-1] if len(window) == order.limit else None)

    def stumble(self, account: AccountId) -> None:
        if trouble := self.failing.get(account, lambda: None)():
            raise OSError(trouble)

    def expire(self, order: SweepAccount) -> SnapshotsExpired:
        self.stumble(order.account)
        return SnapshotsExpired(1, 0)

    def delete(self, order: DeletePacks) -> PacksDeleted:
        done = int(order.after or 0) + 1
        left = done < self.to_delete
        return PacksDeleted("set" if left else None, str(done), done, self.to_delete)

    def condemn(self, order: SweepAccount) -> PacksCondemned:
        del order
        return PacksCondemned(0, skipped="refs are lost") if self.lost_refs else PacksCondemned(2)

    def report(self, order: ReportSweep) -> SweepReport:
        self.reports.append(order)
        return SweepReport(order.account, order.at, freed_bytes=FREED_BYTES, skipped=order.skipped)

    def inspect(self, order: InspectAccount) -> Inspection:
        self.stumble(order.account)
        return Inspection(order.account, order.at, order.kind, 9, 99, strays=2, faults=("pack x is not there",))

    def answers(self) -> dict[str, Answer[Any, Any]]:
        return answering(
            Answer(sweep.survey_accounts, self.survey),
            Answer(sweep.expire_snapshots, self.expire),
            Answer(sweep.delete_packs, self.delete),
            Answer(sweep.doom_packs, lambda _: PacksDoomed(1, 0)),
            Answer(sweep.condemn_packs, self.condemn),
            Answer(sweep.clear_sessions, lambda _: SessionsCleared(0)),
            Answer(sweep.report_sweep, self.report),
            Answer(inspections.next_accounts, self.window),
            Answer(inspections.inspect_storage, self.inspect),
        )

    def night(self) -> Play[SweepAll, Totals]:
        play = Play(sweep.sweep_all, sweeps.sweep_all, self.answers(), MIDNIGHT, PARTS)
        play.start(SweepAll(MIDNIGHT))
        play.settle()
        return play

    def account(self) -> Play[SweepAccount, SweepEnded]:
        play = Play(sweep.sweep_account, sweeps.sweep_account, self.answers(), MIDNIGHT)
        play.start(SweepAccount(CUSTOMER, KEYS[0].account, MIDNIGHT))
        return play

    def round(self, kind: InspectionKind = InspectionKind.RECONCILE) -> Play[InspectAll, Round]:
        play = Play(inspections.inspect_all, looks.inspect_all, self.answers(), MIDNIGHT, PARTS)
        play.start(InspectAll(kind, MIDNIGHT))
        play.settle()
        return play


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(sweeps, "WINDOW", 3)
    monkeypatch.setattr(looks, "WINDOW", 3)
    return House()


def steps(play: Play[Any, Any], account: AccountId) -> list[str]:
    return [name for name, request in play.calls if request.get("account") == account]


def test_a_night_goes_through_all_accounts_window_by_window(house: House) -> None:
    house.idle = {KEYS[1], KEYS[5]}
    play = house.night()
    assert play.reply == Totals(accounts=7, swept=5, failed=0, freed_bytes=5 * FREED_BYTES)
    swept = [key.account for key in KEYS if key not in house.idle]
    assert play.started == [f"sweep-20261122T000000-{account}" for account in swept], "twice started is once started"
    assert play.runs == 3


def test_every_window_starts_over_with_a_short_history(house: House) -> None:
    play = house.night()
    assert play.runs == 3
    assert len(play.history) < 15, "of one window, not of the night"
    assert [request["after"] and request["after"]["account"] for _, request in play.calls if "limit" in request] == [
        None,
        KEYS[2].account,
        KEYS[5].account,
    ]


def test_all_of_a_night_is_judged_as_of_its_beginning(house: House) -> None:
    play = house.night()
    assert {request["at"] for _, request in play.calls if "at" in request} == {"2026-11-22T00:00:00Z"}


def test_a_night_without_work_sweeps_nobody(house: House) -> None:
    house.idle = set(KEYS)
    play = house.night()
    assert (play.reply, play.started) == (Totals(accounts=7), [])


def test_one_account_in_trouble_does_not_stop_the_others(house: House) -> None:
    house.failing = {KEYS[1].account: lambda: "its storage is away"}
    play = house.night()
    assert play.reply == Totals(accounts=7, swept=7, failed=1, freed_bytes=7 * FREED_BYTES)
    assert steps(play, KEYS[2].account) == [*STEPS, "report_sweep"]


def test_the_steps_of_an_account_come_in_the_order_on_which_its_safety_rests(house: House) -> None:
    """What was doomed goes first; doomed is only what earlier sweeps condemned; what this one condemns waits."""
    play = house.account()
    play.settle()
    assert [name for name, _ in play.calls] == [*STEPS, "report_sweep"]
    assert play.reply == SweepEnded(KEYS[0].account, SweepReport(KEYS[0].account, MIDNIGHT, freed_bytes=FREED_BYTES))


def test_a_deletion_in_windows_tells_how_far_it_is(house: House) -> None:
    house.to_delete = 3
    play, told = house.account(), list[dict[str, Any]]()
    while play.pending:
        play.batch()
        if play.status and play.status not in told:
            told.append(play.status)
    assert told == [{"step": "deleting packs", "done": done, "of": 3} for done in (1, 2)]
    windows = [(request["packs"], request["after"]) for name, request in play.calls if name == "delete_packs"]
    assert windows == [(None, ""), ("set", "1"), ("set", "2")] * 2


def test_what_could_not_be_marked_is_in_the_report(house: House) -> None:
    house.lost_refs = True
    play = house.account()
    play.settle()
    assert house.reports == [ReportSweep(KEYS[0].account, MIDNIGHT, ("refs are lost",))]


def test_a_step_that_fails_for_a_while_is_tried_again(house: House) -> None:
    troubles = iter(["storage is away"] * 3)
    house.failing = {KEYS[0].account: lambda: next(troubles, None)}
    play = house.account()
    play.live(timedelta(minutes=2))
    assert play.reply is not None
    assert play.reply.failure is None
    assert [name for name, _ in play.calls].count("expire_snapshots") == 4


def test_a_step_that_fails_for_good_ends_the_sweep_with_the_reason(house: House) -> None:
    house.failing = {KEYS[0].account: lambda: "storage is away"}
    play = house.account()
    play.live(timedelta(hours=1))
    assert play.reply is not None
    assert "storage is away" in str(play.reply.failure)
    assert "storage is away" in house.reports[0].skipped[0], "told where people look"
    assert "doom_packs" not in steps(play, KEYS[0].account), "nothing is skipped over"


@pytest.mark.parametrize("kind", InspectionKind)
def test_a_round_looks_into_every_account_once(house: House, kind: InspectionKind) -> None:
    play = house.round(kind)
    assert play.reply == Round(accounts=7, failed=0, faults=7, strays=14)
    assert play.started == [f"{kind}-20261122-{key.account}" for key in KEYS]
    assert play.runs == 3


def test_an_account_that_cannot_be_looked_at_does_not_stop_the_round(house: House) -> None:
    house.failing = {KEYS[4].account: lambda: "storage is away"}
    assert house.round().reply == Round(accounts=7, failed=1, faults=6, strays=12)


def test_a_full_last_window_is_followed_by_an_empty_one(house: House) -> None:
    """Nobody knows that it was the last before he has asked."""
    house.idle = set(KEYS)
    short = replace(SweepAll(MIDNIGHT), after=KEYS[3])
    play = Play(sweep.sweep_all, sweeps.sweep_all, house.answers(), MIDNIGHT, PARTS)
    play.start(short)
    play.settle()
    assert (play.reply, play.runs) == (Totals(accounts=3), 2)
