"""Restore sessions: leave to read, and a record of who got it (N3, G6)."""

from dataclasses import dataclass

from shared.domain.breach import refuse_if_locked
from shared.domain.errors import NotFound
from shared.domain.grants import LIFE, Purpose
from shared.domain.ids import DeviceId, RestoreId, SessionId, UserId
from shared.domain.marks import refuse_if_expired
from shared.domain.tenancy import Account, Caller, DeviceCaller, UserCaller
from shared.operations import grants
from shared.services import Services
from shared.storage.records import RestoreSession
from shared.storage.sas import SignedGrant
from shared.storage.tables import AlreadyThere


@dataclass(frozen=True, slots=True)
class OpenRestore:
    id: RestoreId
    account: Account
    snapshot: SessionId | None
    caller: Caller


@dataclass(frozen=True, slots=True)
class RestoreOpened:
    restore: RestoreSession
    grant: SignedGrant


def open_restore(services: Services, order: OpenRestore) -> RestoreOpened:
    refuse_if_locked(order.account)
    if order.snapshot is not None:
        snapshot = services.vaults.snapshot(order.account.id, order.snapshot)
        if snapshot is None:
            raise NotFound(f"there is no snapshot {order.snapshot}")
        refuse_if_expired(snapshot)
    device, user = _who(order.caller)
    restore = RestoreSession(order.id, order.account.id, order.snapshot, device, user, opened_at=services.now())
    # Record before grant: nobody reads without a trace.
    try:
        services.restores.insert(restore)
    except AlreadyThere:
        return reopen(services, order.account, order.id)
    return RestoreOpened(restore, _grant(services, order.account))


def reopen(services: Services, account: Account, restore: RestoreId) -> RestoreOpened:
    """A fresh grant for a restore that takes longer than one lasts."""
    stored = services.restores.get(account.id, restore)
    if stored is None:
        raise NotFound(f"there is no restore session {restore}")
    return RestoreOpened(stored.value, _grant(services, account))


def _grant(services: Services, account: Account) -> SignedGrant:
    return grants.give(services, account, Purpose.RESTORE, services.now() + LIFE)


def _who(caller: Caller) -> tuple[DeviceId | None, UserId | None]:
    match caller:
        case DeviceCaller(device):
            return device, None
        case UserCaller(user):
            return None, user
