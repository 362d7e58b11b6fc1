"""How bytes that are not what they should be are named."""

from shared.domain.errors import HortError


class Damaged(HortError):
    """An object of the vault, or a part of one, that is not what was written, or of a version unknown here."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is damaged: {reason}")
        self.name = name
        self.reason = reason


class BadSignature(HortError):
    """Signed by another device than it says, or changed since."""


class WrongRecoveryKey(HortError):
    """The recovery key is well formed, and is not this account's."""


class WrongPassphrase(HortError):
    """It is not this account's passphrase."""


class WrongDevice(HortError):
    """The slot was sealed to another device's key."""
