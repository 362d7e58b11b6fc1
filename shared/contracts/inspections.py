"""Weekly and monthly looks into every account's storage."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.sweep import AccountKey
from shared.domain.ids import AccountId, CustomerId
from shared.domain.inspections import Inspection, InspectionKind
from shared.durable.calls import ActivityCall, WorkflowCall


@dataclass(frozen=True, slots=True)
class Round:
    """How many accounts a round has seen, and how it went."""

    accounts: int = 0
    failed: int = 0
    """Could not be looked at."""
    faults: int = 0
    strays: int = 0


@dataclass(frozen=True, slots=True)
class InspectAll:
    """Starts a round, and carries its state from one window of accounts to the next."""

    kind: InspectionKind
    at: datetime
    after: AccountKey | None = None
    done: Round = Round()


@dataclass(frozen=True, slots=True)
class NextAccounts:
    after: AccountKey | None
    limit: int


@dataclass(frozen=True, slots=True)
class AccountsWindow:
    accounts: tuple[AccountKey, ...]
    last: AccountKey | None
    """`None`: there are no more."""


@dataclass(frozen=True, slots=True)
class InspectAccount:
    customer: CustomerId
    account: AccountId
    kind: InspectionKind
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountInspected:
    inspection: Inspection | None
    failure: str | None = None


next_accounts = ActivityCall("next_accounts", NextAccounts, AccountsWindow)
inspect_storage = ActivityCall("inspect_storage", InspectAccount, Inspection)
inspect_account = WorkflowCall("inspect_account", InspectAccount, AccountInspected)
inspect_all = WorkflowCall("inspect_all", InspectAll, Round)


def instance_of(kind: InspectionKind, at: datetime, account: AccountId | None = None) -> str:
    """A round, and within it one account's look: starting it twice is starting it once."""
    this = f"{kind}-{at:%Y%m%d}"
    return this if account is None else f"{this}-{account}"
