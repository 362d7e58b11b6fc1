"""The nightly sweep: which accounts have something to do, and the steps of one account (design 5)."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.deletions import SweepReport
from shared.domain.ids import AccountId, CustomerId
from shared.durable.calls import ActivityCall, WorkflowCall


@dataclass(frozen=True, slots=True)
class AccountKey:
    customer: CustomerId
    account: AccountId


@dataclass(frozen=True, slots=True)
class Totals:
    accounts: int = 0
    """Looked at."""
    swept: int = 0
    """That had something to do."""
    failed: int = 0
    freed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SweepAll:
    """Starts a night, and carries its state from one window of accounts to the next."""

    at: datetime
    """The night's time: all its judgements are as of it, whenever an account's turn comes."""
    after: AccountKey | None = None
    totals: Totals = Totals()


@dataclass(frozen=True, slots=True)
class SurveyAccounts:
    at: datetime
    after: AccountKey | None
    limit: int


@dataclass(frozen=True, slots=True)
class AccountsSurveyed:
    looked_at: int
    to_sweep: tuple[AccountKey, ...]
    last: AccountKey | None
    """`None`: there are no more."""


@dataclass(frozen=True, slots=True)
class SweepAccount:
    """What each step of one account's sweep is told."""

    customer: CustomerId
    account: AccountId
    at: datetime


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """The custom status."""

    step: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class SweepEnded:
    account: AccountId
    report: SweepReport | None
    failure: str | None = None
    """Why it stopped half-way; the next sweep goes on from there."""


@dataclass(frozen=True, slots=True)
class SnapshotsExpired:
    expired: int
    removed: int


@dataclass(frozen=True, slots=True)
class DeletePacks:
    account: AccountId
    packs: str | None = None
    """The set that is being deleted; `None`: whichever it is."""
    after: str = ""
    """The last pack that is gone already."""


@dataclass(frozen=True, slots=True)
class PacksDeleted:
    packs: str | None
    """The set, while there is more of it to delete."""
    after: str
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class PacksDoomed:
    packs: int
    spared: int
    """Packs that the second mark found in use; there should be none."""


@dataclass(frozen=True, slots=True)
class PacksCondemned:
    packs: int
    skipped: str | None = None
    """Why nothing could be marked."""


@dataclass(frozen=True, slots=True)
class SessionsCleared:
    cleared: int


@dataclass(frozen=True, slots=True)
class ReportSweep:
    account: AccountId
    at: datetime
    skipped: tuple[str, ...] = ()


survey_accounts = ActivityCall("survey_accounts", SurveyAccounts, AccountsSurveyed)
expire_snapshots = ActivityCall("expire_snapshots", SweepAccount, SnapshotsExpired)
delete_packs = ActivityCall("delete_packs", DeletePacks, PacksDeleted)
doom_packs = ActivityCall("doom_packs", SweepAccount, PacksDoomed)
condemn_packs = ActivityCall("condemn_packs", SweepAccount, PacksCondemned)
clear_sessions = ActivityCall("clear_sessions", SweepAccount, SessionsCleared)
report_sweep = ActivityCall("report_sweep", ReportSweep, SweepReport)

sweep_account = WorkflowCall("sweep_account", SweepAccount, SweepEnded)
sweep_all = WorkflowCall("sweep_all", SweepAll, Totals)


def instance_of_night(at: datetime, account: AccountId | None = None) -> str:
    """A night's sweep, and within it one account's: starting it twice is starting it once."""
    night = f"sweep-{at:%Y%m%dT%H%M%S}"
    return night if account is None else f"{night}-{account}"


def instance_of(account: AccountId) -> str:
    """A sweep that an operator asked for: who asks again while it runs joins it."""
    return f"sweep-{account}"
