"""The deletion log by account and in the order of time; reports of sweeps and inspections, the latest first."""

from datetime import UTC, datetime, timedelta

from shared.domain.deletions import Deletion, SweepReport
from shared.domain.inspections import Inspection
from shared.storage.mapping import Mapper

_MOMENT = "%Y%m%dT%H%M%S.%fZ"
_FAR = datetime(9999, 12, 31, tzinfo=UTC)


def moment(at: datetime) -> str:
    """How keys of the deletion log begin."""
    return at.strftime(_MOMENT)


def _latest_first(at: datetime) -> str:
    return f"{(_FAR - at) // timedelta(microseconds=1):018d}"


DELETIONS = Mapper(
    "deletions", Deletion, key=lambda entry: (entry.account, f"{moment(entry.due_at)}-{entry.kind}-{entry.name}")
)
SWEEPS = Mapper("sweeps", SweepReport, key=lambda report: (report.account, _latest_first(report.at)))
INSPECTIONS = Mapper(
    "inspections", Inspection, key=lambda found: (found.account, f"{_latest_first(found.at)}-{found.kind}")
)
