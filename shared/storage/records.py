"""Small records: restore sessions, first backups, reserved identities, used assertions."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.ids import AccountId, DeviceId, DrillId, RestoreId, SessionId, UserId
from shared.domain.seeding import Seeding
from shared.storage.mapping import Mapper


@dataclass(frozen=True, slots=True)
class RestoreSession:
    """Who was granted reading, when, and what for."""

    id: RestoreId
    account: AccountId
    snapshot: SessionId | None
    device: DeviceId | None
    user: UserId | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """The identity that a caller's Idempotency-Key stands for."""

    caller: str
    key_sha256: str
    request_sha256: str
    identity: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class UsedAssertion:
    """A device's assertion is good once (RFC 7523 §3)."""

    account: AccountId
    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Drill:
    """A device restored files of a snapshot to try it, and says how that went."""

    id: DrillId
    account: AccountId
    device: DeviceId
    snapshot: SessionId
    passed: bool
    files: int
    logical_bytes: int
    read_bytes: int
    seconds: float
    troubles: int
    reported_at: datetime
    """The service's clock."""


RESTORES = Mapper("restores", RestoreSession, key=lambda restore: (restore.account, restore.id))
SEEDINGS = Mapper("seedings", Seeding, key=lambda seeding: (seeding.account, seeding.device))
RESERVATIONS = Mapper("reservations", Reservation, key=lambda r: (r.caller, r.key_sha256))
ASSERTIONS = Mapper("assertions", UsedAssertion, key=lambda used: (used.account, used.jti))
DRILLS = Mapper("drills", Drill, key=lambda drill: (drill.account, drill.id))
