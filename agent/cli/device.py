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
        """Raises `NotRegistered`, or `StateDamaged` when a part is lost for good.

        The master key alone is not: the device's slot at the service gives it back, if the service lets the device in.
        """
        who, key, certificate = home.registration(), home.device_key(), home.certificate()
        if key is None:
            raise StateDamaged(f"the keys in {home.config} are lost: join again with `hort recover` in a new home")
        if who.service is not None and certificate is None:
            raise StateDamaged(f"the certificate in {home.config} is lost: join again in a new home")
        return cls(who, key, _own_keys(home, who) or _given_back(home, who, key, certificate), certificate)


def _own_keys(home: Home, who: Registration) -> VaultKeys | None:
    """`None` when the master key is not there, not readable, or another account's."""
    try:
        master_key = home.master_key()
    except StateDamaged:
        return None
    keys = None if master_key is None else VaultKeys.derive(master_key, who.account)
    return keys if keys is None or who.fingerprint in {None, keys.fingerprint} else None


def _given_back(home: Home, who: Registration, key: Ed25519PrivateKey, certificate: str | None) -> VaultKeys:
    """Without the recovery key. Raises `StateDamaged` where there is no service to ask."""
    if who.service is None or certificate is None:
        raise StateDamaged(f"the keys in {home.config} are lost: join again with `hort recover` in a new home")
    from agent.cli.reopening import reopen  # half of the start-up time, and hardly ever needed

    return VaultKeys.derive(reopen(home, who, who.service, key, certificate), who.account)
