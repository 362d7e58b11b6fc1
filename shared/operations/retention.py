"""An account's policy: read, changed with care, tried out before it acts, and explained (N3, N4, G4)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from shared.domain.commits import Snapshot, VaultState
from shared.domain.errors import Malformed, NotFound
from shared.domain.ids import AccountId, DeviceId, SessionId, UserId
from shared.domain.policy_changes import (
    ConfirmationNeeded,
    Retention,
    called_off,
    changed,
    policy_in_force,
    settled,
)
from shared.domain.retention import Judgement, Policies, judge, restore_point
from shared.domain.tenancy import DeviceState
from shared.operations import sessions
from shared.operations.contention import until_unchanged
from shared.operations.slots import PreconditionFailed
from shared.services import Services
from shared.storage.tables import AlreadyThere, Changed, Stored

_CONTENT = TypeAdapter(Retention)


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    account: AccountId
    policies: Policies
    by: UserId
    replaces: str
    """The ETag of what the caller has seen."""
    confirmed: AccountId | None = None
    """The account again, from who knows that snapshots will be kept less long."""


@dataclass(frozen=True, slots=True)
class Explained:
    snapshot: Snapshot
    judgement: Judgement


def read(services: Services, account: AccountId) -> Retention:
    """As it is in force now, with the change that waits; the default for who never chose."""
    return _read(services, account)[1]


def etag(retention: Retention) -> str:
    return f'"{hashlib.sha256(_CONTENT.dump_json(retention)).hexdigest()}"'


def change(services: Services, order: ChangePolicy) -> Retention:
    """Longer at once, shorter after 24 hours. Safe to repeat. Raises `PreconditionFailed`, `ConfirmationNeeded`."""

    def attempt() -> Retention:
        state = sessions.vault_state(services, order.account)
        stored, current = _read(services, order.account)
        wanted = changed(current, order.policies, order.by, services.now())
        if wanted == current:
            return current  # it is as asked: perhaps the answer to the first try was lost
        if etag(current) != order.replaces:
            raise PreconditionFailed("the policy is not the one that If-Match names")
        if wanted.pending is not None and order.confirmed != order.account:
            raise ConfirmationNeeded("some snapshots might be kept less long: confirm with the account's id")
        return _write(services, state, stored, wanted)

    return until_unchanged(attempt)


def call_off(services: Services, account: AccountId) -> Retention:
    """The change that waits never acts. Raises `Conflict` when none waits."""

    def attempt() -> Retention:
        state = sessions.vault_state(services, account)
        stored, current = _read(services, account)
        return _write(services, state, stored, called_off(current, services.now()))

    return until_unchanged(attempt)


def simulate(
    services: Services, account: AccountId, policies: Policies | None, at: datetime | None
) -> tuple[datetime, list[Explained]]:
    """What a policy would do to the snapshots there are, now or later; `None` is what is in force then."""
    now = services.now()
    when = now if at is None else at
    if when < now:
        raise Malformed("at", "lies in the past")
    if policies is None:
        stored = services.vaults.retention(account)
        policies = policy_in_force(stored and stored.value, when)
    return when, _explained(services, account, policies, when)


def explain(services: Services, account: AccountId, snapshot: SessionId) -> Explained:
    """Why a snapshot stays, or what lets it go."""
    _, found = simulate(services, account, None, None)
    one = next((each for each in found if each.snapshot.id == snapshot), None)
    if one is None:
        raise NotFound(f"there is no snapshot {snapshot}")
    return one


def active_devices(services: Services, account: AccountId) -> frozenset[DeviceId]:
    return frozenset(row.id for row in services.devices.all(account) if row.state is DeviceState.ACTIVE)


def _explained(services: Services, account: AccountId, policies: Policies, at: datetime) -> list[Explained]:
    snapshots = {snapshot.id: snapshot for snapshot in services.vaults.snapshots(account)}
    points = [restore_point(snapshot) for snapshot in snapshots.values()]
    judgements = judge(points, policies, at, active_devices(services, account))
    return [Explained(snapshots[judgement.id], judgement) for judgement in judgements]


def _read(services: Services, account: AccountId) -> tuple[Stored[Retention] | None, Retention]:
    stored = services.vaults.retention(account)
    return stored, settled(Retention(account) if stored is None else stored.value, services.now())


def _write(
    services: Services, state: Stored[VaultState], stored: Stored[Retention] | None, new: Retention
) -> Retention:
    try:
        services.vaults.change_retention(state, stored, new)
    except AlreadyThere:
        raise Changed("somebody else chose the first policy") from None
    return new
