"""A suspected breach: one call takes back all that could be used against an account, and keeps its data (N16)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.domain import breach
from shared.domain.devices import logged_out
from shared.domain.ids import AccountId, CustomerId, IncidentId, UserId
from shared.domain.incidents import Incident, IncidentKind
from shared.domain.tenancy import Account, Device, DeviceState
from shared.operations import customers, grants, sessions
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed


@dataclass(frozen=True, slots=True)
class LockAccount:
    incident: IncidentId
    customer: CustomerId
    account: AccountId
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Locked:
    account: Account
    grants_end_at: datetime
    """When the last SAS that was given out is dead: now, or soon where storage cannot take them back."""


def lock(services: Services, order: LockAccount) -> Locked:
    """Devices' tokens, open sessions and every grant end. Safe to repeat; a second lock joins the first."""
    # Account first: from here on nobody is given anything. The rest takes back what is out there.
    account = until_unchanged(lambda: _lock(services, order))
    end = grants.settle(services, account.customer, account.id)
    for device in services.devices.all(account.id):
        until_unchanged(lambda device=device: _log_out(services, device))
    sessions.fence_all(services, account.id)
    _open_incident(services, order, account)
    return Locked(account, end)


def unlock(services: Services, account: Account, by: UserId) -> Account:
    """Opens the account to devices that were not revoked. Raises `Conflict` for who has not changed the password.

    Tokens, grants and enrolment codes of before stay dead. Safe to repeat.
    """

    def attempt() -> Account:
        old = customers.stored_account(services, account.customer, account.id)
        user = services.users.get(account.customer, by)
        new = breach.unlocked(old.value, user and user.value.password_changed_at)
        return new if new == old.value else services.accounts.replace(old, new).value

    opened = until_unchanged(attempt)
    grants.settle(services, account.customer, account.id)
    return opened


def _lock(services: Services, order: LockAccount) -> Account:
    old = customers.stored_account(services, order.customer, order.account)
    new = breach.locked(old.value, order.incident, services.now())
    return old.value if new == old.value else services.accounts.replace(old, new).value


def _log_out(services: Services, listed: Device) -> None:
    row = services.devices.get(listed.account, listed.id)
    if row is None:
        raise Changed(f"device {listed.id} is gone")
    if row.value.state is DeviceState.ACTIVE:
        services.devices.replace(row, logged_out(row.value))


def _open_incident(services: Services, order: LockAccount, account: Account) -> None:
    assert account.incident is not None, "a locked account says why"
    assert account.locked_at is not None
    incident = Incident(
        id=account.incident,
        customer=account.customer,
        account=account.id,
        kind=IncidentKind.SUSPECTED_BREACH,
        opened_at=account.locked_at,
        by=order.by,
        note=order.note,
    )
    with suppress(AlreadyThere):
        services.incidents.insert(incident)
