"""How a device joins a vault that lies in a folder: a disk of its own, or one that the provider has sent back."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.account_keys import KeyOrder, make_keys, try_kit
from agent.config import Home, Registration
from agent.enrolment import Enrolled, device_key
from agent.folder_vault import FolderVault, account_of
from agent.vault import VaultObjectMissing
from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import ENTROPY_BYTES, AccountId, DeviceId
from shared.format.keys import VaultKeys
from shared.format.slots import RECOVERY_SLOT, open_recovery


@dataclass(frozen=True, slots=True)
class FolderApplicant:
    """Which folder, as what, and the time and randomness to use."""

    folder: Path
    device_name: str
    now: datetime
    entropy: Callable[[int], bytes] = os.urandom

    def device_id(self) -> DeviceId:
        return DeviceId.make(self.now, self.entropy(ENTROPY_BYTES))


def account_for_folder(who: FolderApplicant) -> AccountId:
    """A new account's id, or that of an unfinished try in the same folder. Raises `Conflict` for a finished vault."""
    try:
        account = account_of(who.folder)
    except NotFound:
        return AccountId.make(who.now, who.entropy(ENTROPY_BYTES))
    if (who.folder / RECOVERY_SLOT).exists():
        raise Conflict(f"{who.folder} holds a vault already: open it with `hort recover --vault`")
    return account


def make_folder_vault(who: FolderApplicant, account: AccountId, home: Home, kit: Path) -> Enrolled:
    """A vault with a key of its own. After a crash the next try takes up what is there."""
    order = KeyOrder(account, None, who.device_name, kit, who.now, who.entropy)
    key, device = device_key(home), who.device_id()
    vault = FolderVault.open(who.folder, account, device, key)
    keys = make_keys(order, home)
    vault.put_slot(RECOVERY_SLOT, keys.sealed)
    try_kit(order, vault.slot(RECOVERY_SLOT), keys.master_key)
    home.write_slot(keys.sealed)
    return _finish(who, account, device, home, keys.fingerprint)


def open_folder_vault(who: FolderApplicant, home: Home, recovery_key: bytes) -> Enrolled:
    """Opens a vault that somebody else made, such as a return disk; needs no service."""
    account, device = account_of(who.folder), who.device_id()
    sealed = FolderVault(who.folder, account, device, device_key(home)).slot(RECOVERY_SLOT)
    master_key = open_recovery(sealed, recovery_key, account)
    home.write_master_key(master_key)
    home.write_slot(sealed)
    return _finish(who, account, device, home, VaultKeys.derive(master_key, account).fingerprint)


def extend_to_folder(folder: Path, home: Home, registration: Registration) -> None:
    """A vault in a folder for the account that this device has, such as a seed disk; the account's kit opens it too."""
    vault = FolderVault.open(folder, registration.account, registration.device, device_key(home))
    sealed = home.slot()
    if sealed is not None and _slot_of(vault) is None:
        vault.put_slot(RECOVERY_SLOT, sealed)


def _slot_of(vault: FolderVault) -> bytes | None:
    try:
        return vault.slot(RECOVERY_SLOT)
    except VaultObjectMissing:
        return None


def _finish(who: FolderApplicant, account: AccountId, device: DeviceId, home: Home, fingerprint: str) -> Enrolled:
    registration = Registration(
        service=None, account=account, device=device, name=who.device_name, fingerprint=fingerprint
    )
    # Registration last: it says that all the rest is there.
    home.write_registration(registration)
    return Enrolled(registration, fingerprint)
