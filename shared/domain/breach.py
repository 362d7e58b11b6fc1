"""A suspected breach: an account is locked, keeps its data, and opens with new credentials only (N16)."""

from dataclasses import replace
from datetime import datetime

from shared.domain.errors import Conflict, Forbidden
from shared.domain.ids import IncidentId
from shared.domain.tenancy import Account


class AccountLocked(Forbidden):
    """A breach is suspected: no device comes in, and nobody is granted reading or writing."""


def locked(account: Account, incident: IncidentId, now: datetime) -> Account:
    """The lock of the first who said so stays. All grants of before belong to an older generation."""
    if account.locked_at is not None:
        return account
    return replace(account, locked_at=now, incident=incident, grants=account.grants + 1, codes_since=now)


def unlocked(account: Account, password_changed_at: datetime | None) -> Account:
    """Raises `Conflict` unless whoever opens it has a password that is younger than the suspicion."""
    if account.locked_at is None:
        return account
    if password_changed_at is None or password_changed_at <= account.locked_at:
        raise Conflict("change your password first: the old one may be known to others")
    return replace(account, locked_at=None, incident=None)


def refuse_if_locked(account: Account) -> None:
    if account.locked_at is not None:
        raise AccountLocked(f"account {account.id} is locked since {account.locked_at.isoformat()}: suspected breach")
