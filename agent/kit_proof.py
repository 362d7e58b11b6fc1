"""Proves a recovery kit, and makes a new one in the place of one that may be lost or stolen."""

import base64
from dataclasses import dataclass, field

from agent.account_keys import KeyOrder, try_kit
from agent.config import Registration
from agent.kit import Making, RecoveryKit, write_kit
from agent.replies import Refused
from agent.service import Service
from shared.api.tenancy import Protection, PutSlot, Slot
from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import AccountId
from shared.format.errors import WrongRecoveryKey
from shared.format.keys import VaultKeys
from shared.format.recovery import RECOVERY_KEY_BYTES
from shared.format.slots import NONCE_BYTES, open_recovery, seal_recovery

RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Holder:
    """This device, which holds the account's master key."""

    who: Registration
    service: Service
    """As the device itself."""
    master_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Renewed:
    protection: Protection
    sealed: bytes
    """What the account's recovery slot holds now."""


def prove_kit(holder: Holder, recovery_key: bytes) -> Protection:
    """The key must open the slot as the service has it, to the master key as this device has it.

    Raises `WrongRecoveryKey`, also for a kit that was renewed meanwhile.
    """
    account = holder.who.account
    slot = _recovery_slot(holder.service, account)
    check_kit(base64.b64decode(slot.sealed), recovery_key, account, holder.master_key)
    return holder.service.test_kit(account, holder.who.device, slot.etag)


def check_kit(slot: bytes, recovery_key: bytes, account: AccountId, master_key: bytes) -> None:
    if open_recovery(slot, recovery_key, account) != master_key:
        raise WrongRecoveryKey("this recovery key opens another key than the one this device uses")


def renew_kit(order: KeyOrder, holder: Holder, person: Service) -> Renewed:
    """A new recovery key and kit; the old kit is dead when this returns. `person` is the service as a user: a stolen
    device must not lock its owner out. Raises `KitInTheWay`, or `Conflict` when somebody else renewed it meanwhile."""
    person.sign_in()
    old = _recovery_slot(holder.service, order.account)
    recovery_key = order.entropy(RECOVERY_KEY_BYTES)
    fingerprint = VaultKeys.derive(holder.master_key, order.account).fingerprint
    sealed = seal_recovery(holder.master_key, recovery_key, order.account, order.entropy(NONCE_BYTES))
    made = Making(order.now, order.device_name)
    # Kit before slot, and tried: a crash leaves a kit that opens nothing, never a slot that nobody can open.
    write_kit(order.kit, RecoveryKit(order.account, recovery_key, fingerprint, order.service), made)
    try_kit(order, sealed, holder.master_key)
    new = _replace(order, person, old, sealed)
    return Renewed(holder.service.test_kit(order.account, holder.who.device, new.etag), sealed)


def _replace(order: KeyOrder, person: Service, old: Slot, sealed: bytes) -> Slot:
    try:
        return person.replace_slot(order.account, RECOVERY, PutSlot(sealed=base64.b64encode(sealed).decode()), old.etag)
    except Refused as no:
        if no.slug != "precondition-failed":
            raise  # it may have been done, and only the answer was lost: the new kit stays
        order.kit.unlink()  # another slot came first: this kit opens nothing, and must not be taken for one that does
        raise Conflict(
            "the recovery kit was renewed elsewhere at the same time: run again if you still want to"
        ) from None


def _recovery_slot(service: Service, account: AccountId) -> Slot:
    found = [slot for slot in service.slots(account) if slot.name == RECOVERY]
    if not found:
        raise NotFound(f"account {account} has no recovery slot")
    return found[0]
