"""This device, as joining an account left it."""

from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.config import Home, Registration, StateDamaged
from shared.format.keys import VaultKeys


@dataclass(frozen=True, slots=True)
class Device:
    registration: Registration
    key: Ed25519PrivateKey = field(repr=False)
    keys: VaultKeys
    certificate: str | None
    """In PEM; none where there is no service."""

    @classmethod
    def load(cls, home: Home) -> Self:
        """Raises `NotRegistered`, or `StateDamaged` when a part is lost."""
        who = home.registration()
        key, master_key = home.device_key(), home.master_key()
        if key is None or master_key is None:
            raise StateDamaged(f"the keys in {home.config} are lost: join again with `hort recover` in a new home")
        if who.service is not None and home.certificate() is None:
            raise StateDamaged(f"the certificate in {home.config} is lost: join again in a new home")
        return cls(who, key, VaultKeys.derive(master_key, who.account), home.certificate())
