"""Makes an account's keys, so that at no moment a vault has a key that nobody holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.config import KEY_BYTES, Home
from agent.kit import Making, RecoveryKit, read_kit, write_kit
from shared.domain.ids import AccountId
from shared.format.errors import WrongRecoveryKey
from shared.format.keys import VaultKeys
from shared.format.recovery import RECOVERY_KEY_BYTES
from shared.format.slots import NONCE_BYTES, open_recovery, seal_recovery


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """For whom, where the kit goes, and the time and randomness to use."""

    account: AccountId
    service: str | None
    device_name: str
    kit: Path
    now: datetime
    entropy: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class AccountKeys:
    master_key: bytes = field(repr=False)
    fingerprint: str
    sealed: bytes
    """The master key under the recovery key: what the account's recovery slot shall hold."""


def make_keys(order: KeyOrder, home: Home) -> AccountKeys:
    """New keys, or those of an earlier try whose kit still lies there. Raises `KitInTheWay`."""
    master_key = _unfinished(order, home) or _new(order, home)
    recovery_key = read_kit(order.kit).key_for(order.account)
    sealed = seal_recovery(master_key, recovery_key, order.account, order.entropy(NONCE_BYTES))
    return AccountKeys(master_key, VaultKeys.derive(master_key, order.account).fingerprint, sealed)


def try_kit(order: KeyOrder, slot: bytes | None, master_key: bytes) -> None:
    """Only who has tried is protected: the kit as it lies on the disk must open the slot as the vault has it."""
    recovery_key = read_kit(order.kit).key_for(order.account)
    if slot is None or open_recovery(slot, recovery_key, order.account) != master_key:
        raise WrongRecoveryKey(f"the kit in {order.kit} does not open the account's slot; register again")


def forget_keys(order: KeyOrder, home: Home) -> None:
    """For keys that came too late to be the account's: they open nothing."""
    order.kit.unlink()
    home.forget_master_key()


def _new(order: KeyOrder, home: Home) -> bytes:
    master_key = order.entropy(KEY_BYTES)
    fingerprint = VaultKeys.derive(master_key, order.account).fingerprint
    kit = RecoveryKit(order.account, order.entropy(RECOVERY_KEY_BYTES), fingerprint, order.service)
    # Key, then kit, then slot: a crash leaves a kit that opens nothing yet, never a slot that nobody can open.
    home.write_master_key(master_key)
    write_kit(order.kit, kit, Making(order.now, order.device_name))
    return master_key


def _unfinished(order: KeyOrder, home: Home) -> bytes | None:
    """The master key of a try that ended early: somebody may have printed its kit."""
    master_key = home.master_key()
    if master_key is None or not order.kit.exists():
        return None
    kit = read_kit(order.kit)
    ours = VaultKeys.derive(master_key, order.account).fingerprint
    return master_key if (kit.account, kit.fingerprint) == (order.account, ours) else None
