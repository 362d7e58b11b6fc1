"""The audit log of a tenant: a chain in which every record vouches for all before it (G6, G9)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile

GENESIS = "0" * 64
"""What the first record of a chain follows."""


class Deed(StrEnum):
    """The privileged acts; each endpoint that does one names it in its row."""

    CREATE_CUSTOMER = "customer.create"
    CREATE_ACCOUNT = "account.create"
    CREATE_USER = "user.create"
    DISABLE_USER = "user.disable"
    ENABLE_USER = "user.enable"
    CHANGE_USER = "user.change"
    RENEW_PASSWORD = "user.renew-password"  # noqa: S105 -- a deed
    CONFIRM_DELIVERY = "user.confirm-delivery"
    CHANGE_PASSWORD = "user.change-password"  # noqa: S105 -- a deed
    LOG_IN = "user.log-in"
    """Refused: one that succeeds is no privileged act."""
    REUSE_TOKEN = "user.reuse-token"  # noqa: S105 -- a deed
    ASSERT = "device.assert"
    """Refused, as well."""
    LOG_OUT = "user.log-out"
    MAKE_CODE = "enrolment-code.make"
    REGISTER_DEVICE = "device.register"
    RENEW_CERTIFICATE = "device.renew-certificate"
    REVOKE_DEVICE = "device.revoke"
    LOCK_ACCOUNT = "account.lock"
    UNLOCK_ACCOUNT = "account.unlock"
    CHANGE_SLOT = "slot.change"
    READ_SLOTS = "slot.read"
    REMOVE_SLOT = "slot.remove"
    TEST_KIT = "kit.test"
    ROTATE_KEY = "key.rotate"
    OPEN_RESTORE = "restore.open"
    CANCEL_SEEDING = "seeding.cancel"
    START_SWEEP = "sweep.start"
    READ_AUDIT = "audit.read"
    CHANGE_RETENTION = "retention.change"
    CALL_OFF_RETENTION = "retention.call-off"
    PLACE_HOLD = "hold.place"
    RELEASE_HOLD = "hold.release"
    PIN_SNAPSHOT = "snapshot.pin"
    UNPIN_SNAPSHOT = "snapshot.unpin"
    TAKE_SNAPSHOT_BACK = "snapshot.take-back"


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what, on what, from where, on whose instruction, and how it ended."""

    at: datetime
    actor: str
    """`user <id>`, `device <id>`, `service`, or `unknown` who could not prove to be anybody."""
    deed: Deed
    subject: str
    """The path of the thing, such as `/accounts/<id>/slots/recovery`."""
    address: str
    """Where the request came from, as the front end tells it."""
    outcome: str
    """`done`, the slug of the problem that was answered, or how often the unknown were refused."""
    instruction: str | None = None
    """The customer's instruction that a provider's act rests on (G6)."""


@dataclass(frozen=True, slots=True)
class Record:
    number: int
    """Counts from 1 without gaps."""
    previous: str
    """The hash of the record before, or `GENESIS`."""
    act: Act
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the tenant keeps where the provider cannot reach it: whoever rewrites the chain can't rewrite this."""

    records: int
    head: str
    """The hash of the last of them."""
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Sound:
    """Every record is as it was written, none is missing, and none stands elsewhere."""

    records: int
    head: str


@dataclass(frozen=True, slots=True)
class Broken:
    number: int
    """The first record that is not what it should be."""
    reason: str


def link(number: int, previous: str, act: Act) -> Record:
    return Record(number, previous, act, _hash(number, previous, act))


def anchor(records: Iterable[Record], as_of: datetime) -> Anchor:
    """Of the records, in order, up to the first that is later than `as_of`."""
    number, head = 0, GENESIS
    for record in takewhile(lambda record: record.act.at <= as_of, records):
        number, head = record.number, record.hash
    return Anchor(number, head, as_of)


def verify(records: Iterable[Record], head: str, kept: Anchor | None = None) -> Sound | Broken:
    """Walk the chain in order of its numbers; `head` is the hash that the last record must have.

    A chain that was rewritten as a whole, hashes and all, is found by the anchor that was `kept` from before.
    """
    expected, previous = 1, GENESIS
    for record in records:
        if record.number != expected:
            return Broken(expected, f"is missing: record {record.number} comes in its place")
        if record.previous != previous:
            return Broken(record.number, "does not follow the record before it")
        if record.hash != _hash(record.number, record.previous, record.act):
            return Broken(record.number, "was changed")
        if kept is not None and record.number == kept.records and record.hash != kept.head:
            return Broken(record.number, "is not what the anchor says: it, or one before it, was rewritten")
        expected, previous = expected + 1, record.hash
    if previous != head:
        return Broken(expected, "is missing: the chain ends before its head")
    if kept is not None and expected <= kept.records:
        return Broken(expected, f"is missing: the anchor knows {kept.records} records")
    return Sound(expected - 1, head)


def _hash(number: int, previous: str, act: Act) -> str:
    """SHA-256 of the record as JSON with sorted keys and times in UTC: anyone can compute it from an export."""
    fields = {**asdict(act), "at": act.at.isoformat().replace("+00:00", "Z"), "number": number, "previous": previous}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
