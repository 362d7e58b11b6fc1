"""`hort recovery-kit test` and `hort recovery-kit renew`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.account_keys import KeyOrder
from agent.cli.device import Device
from agent.cli.home import find_home, password
from agent.cli.joining import default_kit, typed_key
from agent.cli.output import Outcome
from agent.cli.remote import service_as, service_of
from agent.config import Home, StateDamaged
from agent.engine.orders import utc_now
from agent.kit import read_kit
from agent.kit_proof import Holder, check_kit, prove_kit, renew_kit
from agent.lock import only_run
from agent.patience import Patience
from agent.transport import Transport
from shared.domain.ids import AccountId, DeviceId


@dataclass(frozen=True, slots=True)
class RenewWish:
    """What the user said on the command line."""

    login: str
    password_file: Path | None
    kit: Path | None


@dataclass(frozen=True, slots=True)
class Proved:
    """The document of both."""

    account: AccountId
    device: DeviceId
    fingerprint: str
    protected_at: datetime | None
    """None for a vault that only lies in a folder: nobody keeps a record of it."""
    kit: Path | None = None
    """Where the new kit was written."""


def test(kit: Path | None, recovery_key: str | None) -> Outcome[Proved]:
    home = find_home()
    device = Device.load(home)
    who = device.registration
    key = read_kit(kit).key_for(who.account) if kit else typed_key(recovery_key)
    if who.service is None:
        check_kit(_kept_slot(home), key, who.account, _master_key(home))
        return Outcome(Proved(who.account, who.device, device.keys.fingerprint, None), _lines)
    protection = prove_kit(_holder(home, device), key)
    return Outcome(Proved(who.account, who.device, device.keys.fingerprint, protection.protected_at), _lines)


def renew(wish: RenewWish) -> Outcome[Proved]:
    home = find_home()
    device = Device.load(home)
    who, kit = device.registration, (wish.kit or default_kit(device.registration.account)).absolute()
    order = KeyOrder(who.account, who.service, who.name, kit, utc_now(), os.urandom)
    with only_run(home.lock):
        person = service_as(device, wish.login, password(wish.password_file, wish.login))
        renewed = renew_kit(order, _holder(home, device), person)
        home.write_slot(renewed.sealed)
    proved = Proved(who.account, who.device, device.keys.fingerprint, renewed.protection.protected_at, kit)
    return Outcome(proved, _lines)


def _holder(home: Home, device: Device) -> Holder:
    return Holder(device.registration, service_of(device, Transport(Patience())), _master_key(home))


def _master_key(home: Home) -> bytes:
    key = home.master_key()
    assert key is not None, "the device was loaded with it"
    return key


def _kept_slot(home: Home) -> bytes:
    slot = home.slot()
    if slot is None:
        raise StateDamaged(f"the recovery slot in {home.config} is lost")
    return slot


def _lines(proved: Proved) -> Iterator[str]:
    if proved.kit is not None:
        yield f"Your new recovery kit is in {proved.kit}"
        yield "The old kit opens this account no more: destroy it. It still opens disks that were made before."
    yield f"The kit opens the account's key, fingerprint {proved.fingerprint}."
    if proved.protected_at is not None:
        yield "This device is protected."
