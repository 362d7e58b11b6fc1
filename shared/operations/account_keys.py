"""The provider's key of an account: made with it, rotated without the customer noticing."""

from dataclasses import dataclass, replace

from shared.domain.ids import AccountId
from shared.keys.account_keys import Wrapped
from shared.services import Services
from shared.storage.slots import CURRENT, AccountKey, KeptSlot
from shared.storage.tables import AlreadyThere, Changed, Stored


@dataclass(frozen=True, slots=True)
class Rotated:
    key: AccountKey
    rewrapped: int
    """How many slots took the new version in this call."""


def current(services: Services, account: AccountId) -> AccountKey:
    """What wraps now; made if there is none yet. Safe to repeat."""
    there = _get(services, account)
    return there.value if there else _first(services, account)


def rotate(services: Services, account: AccountId) -> Rotated:
    """A new version, and every slot's data key under it. A rotation that a crash cut short is ended first.

    Old versions stay in the vault: what a writer wraps with one meanwhile opens, and the next call finds it.
    """
    current(services, account)
    if not _behind(services, account):
        _advance(services, account)
    behind = _behind(services, account)
    return Rotated(current(services, account), sum(_rewrap(services, slot) for slot in behind))


def _first(services: Services, account: AccountId) -> AccountKey:
    # Key before row: a crash leaves a key that nothing needs yet, and the next call finds it.
    made = AccountKey(account, services.account_keys.create(account), services.now())
    try:
        return services.key_versions.insert(made).value
    except AlreadyThere:
        return current(services, account)


def _advance(services: Services, account: AccountId) -> None:
    there = _get(services, account)
    assert there is not None, "`rotate` has made sure of it"
    # Key before row: a crash leaves a version that wraps nothing.
    made = AccountKey(account, services.account_keys.rotate(account), services.now())
    services.key_versions.replace(there, made)


def _behind(services: Services, account: AccountId) -> list[KeptSlot]:
    version = current(services, account).version
    return [slot for slot in services.slots.all(account) if slot.key_version != version]


def _rewrap(services: Services, listed: KeptSlot) -> bool:
    """False when somebody else wrote or removed the slot meanwhile: then it is theirs, or the next call's."""
    there = services.slots.get(listed.account, listed.name)
    if there is None:
        return False
    kept, keys = there.value, services.account_keys
    data_key = keys.unwrap(kept.account, Wrapped(kept.key_version, kept.wrapped_key))
    fresh = keys.wrap(kept.account, current(services, kept.account).version, data_key)
    try:
        services.slots.replace(there, replace(kept, key_version=fresh.version, wrapped_key=fresh.body))
    except Changed:
        return False
    return True


def _get(services: Services, account: AccountId) -> Stored[AccountKey] | None:
    return services.key_versions.get(account, CURRENT)
