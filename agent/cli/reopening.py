"""A device whose copy of the master key is lost gets it back: from its own slot at the service, with its own key."""

import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.certificates import thumbprint
from agent.config import Home, Registration, StateDamaged
from agent.credentials import DeviceKey
from agent.device_slot import open_device_slot
from agent.patience import Patience
from agent.replies import NotAuthorised
from agent.service import Service
from agent.transport import Transport
from shared.domain.errors import HortError
from shared.format.errors import Damaged, WrongDevice
from shared.format.keys import VaultKeys


class ShutOut(HortError):
    """The service lets this device in no more, so that it cannot give it the key back either."""

    def __init__(self, reason: NotAuthorised) -> None:
        super().__init__(f"the master key is lost here, and the service does not let this device in: {reason}")


def reopen(home: Home, who: Registration, url: str, key: Ed25519PrivateKey, certificate: str) -> bytes:
    """The master key, written down again. Raises `ShutOut` for a device that was revoked."""
    exchange = home.exchange_key()
    if exchange is None:
        raise _lost(home, "and the key of its slot is, too")
    transport = Transport(Patience())
    service = Service(url, DeviceKey(who.account, who.device, key, thumbprint(certificate)), transport)
    try:
        master_key = open_device_slot(service, who.account, who.device, exchange)
    except NotAuthorised as no:
        raise ShutOut(no) from None
    except (Damaged, WrongDevice) as fault:
        raise _lost(home, f"and its slot does not open: {fault}") from None
    finally:
        transport.close()
    if master_key is None:
        raise _lost(home, "and the service has no slot of this device")
    if who.fingerprint not in {None, VaultKeys.derive(master_key, who.account).fingerprint}:
        raise _lost(home, "and its slot holds another key than this account's")
    home.write_master_key(master_key)
    print("The master key was lost here; this device's own slot at the service gave it back.", file=sys.stderr)
    return master_key


def _lost(home: Home, why: str) -> StateDamaged:
    return StateDamaged(f"the master key in {home.config} is lost, {why}: join again with `hort recover` in a new home")
