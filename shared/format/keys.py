"""The master key of an account and the keys that are made from it, one a purpose."""

from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.domain.ids import AccountId
from shared.format import base32

KEY_BYTES = 32
_FINGERPRINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """All that an agent needs to read and write a vault. Never leaves the device, and `repr` shows no key."""

    account: AccountId
    fingerprint: str
    """For comparing two devices by eye: four groups of four characters, 80 bits. Not secret."""
    chunk_encryption: bytes = field(repr=False)
    chunk_ids: bytes = field(repr=False)
    chunker: bytes = field(repr=False)
    metadata: bytes = field(repr=False)
    index: bytes = field(repr=False)
    paging: bytes = field(repr=False)
    contents: bytes = field(repr=False)
    """Recognises small files whose chunk cannot be guessed, because they share one."""
    local: bytes = field(repr=False)
    """Proves that the agent's own cache and journal are what it wrote."""

    @classmethod
    def derive(cls, master_key: bytes, account: AccountId) -> Self:
        """HKDF-SHA256 (RFC 5869), salt = the account id, info = `hort v1 <purpose>`."""
        return cls(
            account=account,
            fingerprint=_fingerprint(master_key, account),
            chunk_encryption=subkey(master_key, account, "chunk encryption"),
            chunk_ids=subkey(master_key, account, "chunk ids"),
            chunker=subkey(master_key, account, "chunker"),
            metadata=subkey(master_key, account, "metadata"),
            index=subkey(master_key, account, "index"),
            paging=subkey(master_key, account, "paging"),
            contents=subkey(master_key, account, "contents"),
            local=subkey(master_key, account, "local"),
        )


def subkey(secret: bytes, account: AccountId, purpose: str, length_bytes: int = KEY_BYTES) -> bytes:
    """One key for one purpose. `secret` is 32 random bytes, so no stretching is needed."""
    assert len(secret) == KEY_BYTES, "a master or recovery key is 32 bytes"
    info = f"hort v1 {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length_bytes, salt=account.encode(), info=info).derive(secret)


def _fingerprint(master_key: bytes, account: AccountId) -> str:
    text = base32.encode(subkey(master_key, account, "fingerprint", _FINGERPRINT_BYTES))
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
