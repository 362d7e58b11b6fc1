"""The master key, locked away so that only the recovery key opens it.

`hort` `K` 1 | commitment (32) | nonce (12) | AES-256-GCM(master key) (48) | checksum (8)

The commitment is derived from the recovery key: AES-GCM alone lets one sealed text open under two keys. The
checksum is no secret: it tells a damaged slot from a wrong key.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.ids import AccountId
from shared.format.errors import Damaged, WrongRecoveryKey
from shared.format.keys import KEY_BYTES, subkey

NONCE_BYTES = 12
RECOVERY_SLOT = "slots/recovery"

_PREFIX = b"hortK\x01"
_CHECKSUM_BYTES = 8
_SLOT_BYTES = len(_PREFIX) + KEY_BYTES + NONCE_BYTES + KEY_BYTES + 16 + _CHECKSUM_BYTES


def seal_recovery(master_key: bytes, recovery_key: bytes, account: AccountId, nonce: bytes) -> bytes:
    """The slot for `recovery_key`, bound to the account. `nonce` is 12 random bytes."""
    commitment = subkey(recovery_key, account, "recovery commitment")
    locked = _lock(recovery_key, account).encrypt(nonce, master_key, _bound(commitment, account))
    slot = _PREFIX + commitment + nonce + locked
    return slot + _checksum(slot)


def open_recovery(slot: bytes, recovery_key: bytes, account: AccountId) -> bytes:
    """The master key. Raises `WrongRecoveryKey`, or `Damaged` when the slot is not what was written."""
    _require_whole(slot)
    commitment, nonce, locked = slot[6:38], slot[38:50], slot[50:-_CHECKSUM_BYTES]
    if not hmac.compare_digest(commitment, subkey(recovery_key, account, "recovery commitment")):
        raise WrongRecoveryKey("this recovery key does not belong to this account")
    try:
        return _lock(recovery_key, account).decrypt(nonce, locked, _bound(commitment, account))
    except InvalidTag:
        raise Damaged(RECOVERY_SLOT, "it does not open") from None


def _require_whole(slot: bytes) -> None:
    if len(slot) != _SLOT_BYTES:
        raise Damaged(RECOVERY_SLOT, f"{len(slot)} bytes, not {_SLOT_BYTES}")
    if not slot.startswith(_PREFIX):
        raise Damaged(RECOVERY_SLOT, "not a recovery slot of version 1")
    if _checksum(slot[:-_CHECKSUM_BYTES]) != slot[-_CHECKSUM_BYTES:]:
        raise Damaged(RECOVERY_SLOT, "its checksum is wrong")


def _lock(recovery_key: bytes, account: AccountId) -> AESGCM:
    return AESGCM(subkey(recovery_key, account, "recovery slot"))


def _bound(commitment: bytes, account: AccountId) -> bytes:
    return _PREFIX + account.encode() + commitment


def _checksum(slot: bytes) -> bytes:
    return hashlib.sha256(slot).digest()[:_CHECKSUM_BYTES]
