"""Drills: what devices report of restores they tried, kept as evidence."""

from dataclasses import dataclass

from shared.domain.errors import NotFound
from shared.domain.ids import DrillId, SessionId
from shared.domain.tenancy import DeviceCaller
from shared.services import Services
from shared.storage.records import Drill
from shared.storage.tables import AlreadyThere


@dataclass(frozen=True, slots=True)
class ReportDrill:
    id: DrillId
    device: DeviceCaller
    snapshot: SessionId
    passed: bool
    files: int
    logical_bytes: int
    read_bytes: int
    seconds: float
    troubles: int


def report(services: Services, order: ReportDrill) -> Drill:
    """Told again, it is the drill that is kept. Raises `NotFound` for a snapshot that the account does not have."""
    account = order.device.account
    if services.vaults.snapshot(account, order.snapshot) is None:
        raise NotFound(f"there is no snapshot {order.snapshot}")
    drill = Drill(
        id=order.id,
        account=account,
        device=order.device.id,
        snapshot=order.snapshot,
        passed=order.passed,
        files=order.files,
        logical_bytes=order.logical_bytes,
        read_bytes=order.read_bytes,
        seconds=order.seconds,
        troubles=order.troubles,
        reported_at=services.now(),
    )
    try:
        services.drills.insert(drill)
    except AlreadyThere:
        kept = services.drills.get(account, order.id)
        return drill if kept is None else kept.value
    return drill
