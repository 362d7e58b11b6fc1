"""Sealed objects of `m-<account>`: one AEAD envelope that binds the bytes to the account and to the object's name.

`hort` | kind (1) | version (1) | nonce (12) | AES-256-GCM(raw length (4) | kept length (4) | kept | zeros)
"""

import struct
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.ids import AccountId
from shared.format.compression import grow, shrink
from shared.format.errors import Damaged
from shared.format.padding import padme

VERSION = 1
NONCE_BYTES = 12
MAX_RAW_BYTES = 64 << 20

_MAGIC = b"hort"
_PREFIX_BYTES = len(_MAGIC) + 2
_LENGTHS = struct.Struct(">II")


class Sealed(Enum):
    """The kinds of sealed objects, by the letter that stands in clear."""

    HEAD = b"H"
    INDEX = b"I"


def seal(key: bytes, kind: Sealed, account: AccountId, name: str, body: bytes, nonce: bytes) -> bytes:
    """`body` compressed, padded (Padmé) and sealed for the place `name`."""
    kept = shrink(body)
    plain = _LENGTHS.pack(len(body), len(kept)) + kept
    plain = plain.ljust(padme(len(plain)), b"\0")
    prefix = _prefix(kind)
    return prefix + nonce + AESGCM(key).encrypt(nonce, plain, prefix + account.encode() + name.encode())


def unseal(key: bytes, kind: Sealed, account: AccountId, name: str, sealed: bytes) -> bytes:
    """The body of the object that lies at `name`. Raises `Damaged`."""
    prefix, nonce = sealed[:_PREFIX_BYTES], sealed[_PREFIX_BYTES : _PREFIX_BYTES + NONCE_BYTES]
    if prefix[:5] == _prefix(kind)[:5] and prefix != _prefix(kind):
        raise Damaged(name, f"its version is {prefix[5:].hex()}, this program reads version {VERSION}")
    if prefix != _prefix(kind):
        raise Damaged(name, "it is no such object")
    try:
        bound = prefix + account.encode() + name.encode()
        plain = AESGCM(key).decrypt(nonce, sealed[_PREFIX_BYTES + NONCE_BYTES :], bound)
        return _unpad(plain)
    except InvalidTag:
        raise Damaged(name, "it does not open") from None
    except ValueError as error:
        raise Damaged(name, str(error)) from None


def _unpad(plain: bytes) -> bytes:
    if len(plain) < _LENGTHS.size:
        raise ValueError("torn")
    raw_bytes, kept_bytes = _LENGTHS.unpack_from(plain)
    if raw_bytes > MAX_RAW_BYTES or _LENGTHS.size + kept_bytes > len(plain):
        raise ValueError("its lengths cannot be")
    return grow(plain[_LENGTHS.size : _LENGTHS.size + kept_bytes], raw_bytes)


def _prefix(kind: Sealed) -> bytes:
    return _MAGIC + kind.value + bytes((VERSION,))
