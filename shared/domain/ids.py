"""Identities: 26 characters that sort by the time they were made and cannot be guessed."""

import re
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic_core import CoreSchema, core_schema

from shared.domain.errors import Malformed

ENTROPY_BYTES = 10

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PATTERN = f"^[0-7][{_ALPHABET}]{{25}}$"
_SHAPE = re.compile(_PATTERN)
_PACK_ID = re.compile(r"^[0-9a-f]{64}$")


class Id(str):
    """A ULID in lower case: 48 bits of milliseconds and 80 random bits, in Crockford's base 32.

    Safe as a blob name, a part of a container name, a table key and a part of a URL.
    """

    __slots__ = ()

    @classmethod
    def make(cls, now: datetime, entropy: bytes) -> Self:
        """A new identity; `entropy` is `ENTROPY_BYTES` random bytes."""
        return cls.of_number(int(now.timestamp() * 1000) << 80 | int.from_bytes(entropy[:ENTROPY_BYTES]))

    @classmethod
    def of_number(cls, number: int) -> Self:
        """The identity that stands for 128 bits, such as another system's UUID."""
        return cls("".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)))

    @classmethod
    def parse(cls, text: str) -> Self:
        if not _SHAPE.fullmatch(text):
            raise Malformed(cls.__name__, f"{text[:40]!r} is not 26 characters of lower-case base 32")
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(pattern=_PATTERN),
            serialization=core_schema.to_string_ser_schema(),
        )


class CustomerId(Id):
    __slots__ = ()


class AccountId(Id):
    __slots__ = ()


class UserId(Id):
    __slots__ = ()


class DeviceId(Id):
    __slots__ = ()


class SessionId(Id):
    """A backup session's; a committed session is a snapshot and keeps the name."""

    __slots__ = ()


class RestoreId(Id):
    __slots__ = ()


class CertificateId(Id):
    """A device's certificate; the number behind it is the serial number: 128 bits, 80 of them random."""

    __slots__ = ()

    @property
    def serial_number(self) -> int:
        return sum(_ALPHABET.index(c) << 5 * n for n, c in enumerate(reversed(self)))


class CodeId(Id):
    """An enrolment code's, which tells nothing of the code."""

    __slots__ = ()


class FamilyId(Id):
    """A user's session's: all the refresh tokens that came out of one log-in."""

    __slots__ = ()


class IncidentId(Id):
    __slots__ = ()


class HoldId(Id):
    __slots__ = ()


class DrillId(Id):
    __slots__ = ()


class PackName(NamedTuple):
    """`<session>/<pack-id>` in `d-<account>`; the pack id is the SHA-256 of the pack's bytes, in hex."""

    session: SessionId
    pack_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        session, _, pack_id = text.partition("/")
        if not _PACK_ID.fullmatch(pack_id):
            raise Malformed("pack", f"{text[:100]!r} is not <session>/<64 hex digits>")
        return cls(SessionId.parse(session), pack_id)

    def __str__(self) -> str:
        return f"{self.session}/{self.pack_id}"


class IndexName(NamedTuple):
    """`index/<session>/<number>` in `m-<account>`; numbers count from 0 without gaps."""

    session: SessionId
    number: int

    def __str__(self) -> str:
        return f"index/{self.session}/{self.number}"
