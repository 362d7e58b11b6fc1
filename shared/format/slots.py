"""The master key, locked away three ways: for the recovery key, a passphrase, or a device.

`hort` | kind | 1 | header | commitment (32) | nonce (12) | AES-256-GCM(master key) (48) | checksum (8)

Each way leads to a secret of 32 bytes; the header holds what it takes to get there. The commitment is derived from
the secret: AES-GCM alone lets one sealed text open under two keys. The checksum is no secret: it tells a damaged
slot from a wrong key.
"""

import hashlib
import hmac
import struct
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId
from shared.format.errors import Damaged, WrongDevice, WrongPassphrase, WrongRecoveryKey
from shared.format.keys import KEY_BYTES, subkey

NONCE_BYTES = 12
SALT_BYTES = 16
RECOVERY_SLOT = "slots/recovery"

_CHECKSUM_BYTES = 8
_SEALED_BYTES = KEY_BYTES + NONCE_BYTES + KEY_BYTES + 16
_PREFIX_BYTES = 6
_COST = struct.Struct(">III")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to the master key."""

    name: str
    """Also the first word of the purposes that its keys are derived for."""
    prefix: bytes
    header_bytes: int

    @property
    def slot_bytes(self) -> int:
        return _PREFIX_BYTES + self.header_bytes + _SEALED_BYTES + _CHECKSUM_BYTES


RECOVERY = Kind("recovery", b"hortK\x01", 0)
PASSPHRASE = Kind("passphrase", b"hortP\x01", _COST.size + SALT_BYTES)
DEVICE = Kind("device", b"hortD\x01", KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess at a passphrase costs: Argon2id's parameters (RFC 9106 §4, second recommendation)."""

    iterations: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


FLOOR = Cost()
CEILING = Cost(iterations=16, memory_kib=1024 * 1024, lanes=16)
"""A hostile slot must not take all of a device's memory or days of its time."""


def seal_recovery(master_key: bytes, recovery_key: bytes, account: AccountId, nonce: bytes) -> bytes:
    """The slot for `recovery_key`, bound to the account. `nonce` is 12 random bytes."""
    return _seal(RECOVERY, b"", recovery_key, master_key, account, nonce)


def open_recovery(slot: bytes, recovery_key: bytes, account: AccountId) -> bytes:
    """The master key. Raises `WrongRecoveryKey`, or `Damaged` when the slot is not what was written."""
    header = _header(RECOVERY, slot)
    master_key = _open(RECOVERY, slot, header, recovery_key, account)
    if master_key is None:
        raise WrongRecoveryKey("this recovery key does not belong to this account")
    return master_key


def seal_passphrase(
    master_key: bytes, passphrase: str, account: AccountId, salt: bytes, nonce: bytes, cost: Cost = FLOOR
) -> bytes:
    """The slot for a passphrase. `salt` is 16 random bytes, `nonce` 12. Raises `Malformed` for a cost out of bounds."""
    if not _bearable(cost):
        raise Malformed("cost", f"{cost} is not between {FLOOR} and {CEILING}")
    header = _COST.pack(cost.iterations, cost.memory_kib, cost.lanes) + salt
    return _seal(PASSPHRASE, header, _stretched(passphrase, salt, cost), master_key, account, nonce)


def open_passphrase(slot: bytes, passphrase: str, account: AccountId) -> bytes:
    """The master key. Raises `WrongPassphrase`, or `Damaged`, also for a cost out of bounds, before it is paid."""
    header = _header(PASSPHRASE, slot)
    cost = Cost(*_COST.unpack_from(header))
    if not _bearable(cost):
        raise Damaged("slots/passphrase", f"{cost} is not between {FLOOR} and {CEILING}")
    secret = _stretched(passphrase, header[_COST.size :], cost)
    master_key = _open(PASSPHRASE, slot, header, secret, account)
    if master_key is None:
        raise WrongPassphrase("this passphrase does not belong to this account")
    return master_key


def seal_device(
    master_key: bytes, device: X25519PublicKey, account: AccountId, ephemeral: X25519PrivateKey, nonce: bytes
) -> bytes:
    """The slot for the holder of the device's private key. `ephemeral` is made for this one slot and forgotten."""
    header = ephemeral.public_key().public_bytes_raw()
    secret = _agreed(ephemeral.exchange(device), header, device)
    return _seal(DEVICE, header, secret, master_key, account, nonce)


def open_device(slot: bytes, device: X25519PrivateKey, account: AccountId) -> bytes:
    """The master key. Raises `WrongDevice`, or `Damaged`."""
    header = _header(DEVICE, slot)
    try:
        shared = device.exchange(X25519PublicKey.from_public_bytes(header))
    except ValueError:  # a point of small order (RFC 7748 §6.1)
        raise Damaged("slots/device", "its ephemeral key is none") from None
    master_key = _open(DEVICE, slot, header, _agreed(shared, header, device.public_key()), account)
    if master_key is None:
        raise WrongDevice("this slot was sealed to another device")
    return master_key


def _seal(kind: Kind, header: bytes, secret: bytes, master_key: bytes, account: AccountId, nonce: bytes) -> bytes:
    commitment = subkey(secret, account, f"{kind.name} commitment")
    bound = kind.prefix + header + account.encode() + commitment
    locked = AESGCM(subkey(secret, account, f"{kind.name} slot")).encrypt(nonce, master_key, bound)
    slot = kind.prefix + header + commitment + nonce + locked
    return slot + _checksum(slot)


def _open(kind: Kind, slot: bytes, header: bytes, secret: bytes, account: AccountId) -> bytes | None:
    """`None` when the slot was made with another secret, or for another account."""
    sealed = slot[_PREFIX_BYTES + kind.header_bytes : -_CHECKSUM_BYTES]
    commitment, nonce, locked = sealed[:32], sealed[32:44], sealed[44:]
    if not hmac.compare_digest(commitment, subkey(secret, account, f"{kind.name} commitment")):
        return None
    bound = kind.prefix + header + account.encode() + commitment
    try:
        return AESGCM(subkey(secret, account, f"{kind.name} slot")).decrypt(nonce, locked, bound)
    except InvalidTag:
        raise Damaged(f"slots/{kind.name}", "it does not open") from None


def _header(kind: Kind, slot: bytes) -> bytes:
    """The header of a slot that is whole. Raises `Damaged`."""
    name = f"slots/{kind.name}"
    if len(slot) != kind.slot_bytes:
        raise Damaged(name, f"{len(slot)} bytes, not {kind.slot_bytes}")
    if not slot.startswith(kind.prefix):
        raise Damaged(name, f"not a {kind.name} slot of version 1")
    if _checksum(slot[:-_CHECKSUM_BYTES]) != slot[-_CHECKSUM_BYTES:]:
        raise Damaged(name, "its checksum is wrong")
    return slot[_PREFIX_BYTES : _PREFIX_BYTES + kind.header_bytes]


def _stretched(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """In one Unicode form: keyboards differ in how they write the same letter (RFC 8265 §4)."""
    argon2id = Argon2id(
        salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return argon2id.derive(unicodedata.normalize("NFC", passphrase).encode())


def _agreed(shared: bytes, ephemeral: bytes, device: X25519PublicKey) -> bytes:
    """Both public keys go in, so that the secret belongs to this exchange alone (RFC 9180 §4.1)."""
    info = b"hort v1 device secret" + ephemeral + device.public_bytes_raw()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(shared)


def _bearable(cost: Cost) -> bool:
    return (
        FLOOR.iterations <= cost.iterations <= CEILING.iterations
        and FLOOR.memory_kib <= cost.memory_kib <= CEILING.memory_kib
        and FLOOR.lanes <= cost.lanes <= CEILING.lanes
    )


def _checksum(slot: bytes) -> bytes:
    return hashlib.sha256(slot).digest()[:_CHECKSUM_BYTES]
