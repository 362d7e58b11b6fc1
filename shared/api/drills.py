"""Drills: evidence that backups can be restored, and how long it took."""

from shared.api.base import Bytes, Count, Instant, Reply, Request, Seconds
from shared.domain.ids import AccountId, DeviceId, DrillId, SessionId


class ReportDrill(Request):
    """Files of a snapshot, chosen by chance, were restored and compared by the device: counts, never names."""

    snapshot: SessionId
    passed: bool
    files: Count
    logical_bytes: Bytes
    read_bytes: Bytes
    seconds: Seconds
    """From the first question to the last byte on the disk and compared."""
    troubles: Count = 0


class Drill(Reply):
    id: DrillId
    account: AccountId
    device: DeviceId
    snapshot: SessionId
    passed: bool
    files: Count
    logical_bytes: Bytes
    read_bytes: Bytes
    seconds: Seconds
    troubles: Count
    reported_at: Instant
