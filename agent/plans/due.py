"""When a plan runs next: at its time, at once for what was missed, and soon again after a failure."""

from datetime import datetime, timedelta, tzinfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from agent.plans.plan import Plan
from agent.plans.schedule import Schedule, offset

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=6)


class Runs(BaseModel):
    """What is known of a plan's runs on this device."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    began_at: AwareDatetime | None = None
    """The last run that ended well, or with a report of what it skipped."""
    failed_at: AwareDatetime | None = None
    failures: int = 0
    """In a row."""
    message: str = ""
    """How the last run ended, for people."""

    def after_success(self, began_at: datetime, message: str) -> "Runs":
        return Runs(began_at=began_at, message=message)

    def after_failure(self, now: datetime, message: str) -> "Runs":
        return Runs(began_at=self.began_at, failed_at=now, failures=self.failures + 1, message=message)


def due_at(plan: Plan, runs: Runs, seed: str, zone: tzinfo, since: datetime) -> datetime:
    """When to run it; a moment that is past means at once. `seed` tells devices and plans apart.

    Runs that were missed, however many, are made up for by one. A plan that never ran is due `since` it is known.
    """
    if runs.failed_at is not None:
        retry_at = runs.failed_at + min(_FIRST_WAIT * 2 ** min(runs.failures - 1, 10), _LONGEST_WAIT)
        return min(retry_at, _scheduled(plan, runs.failed_at, seed, zone))
    return since if runs.began_at is None else _scheduled(plan, runs.began_at, seed, zone)


def _scheduled(plan: Plan, after: datetime, seed: str, zone: tzinfo) -> datetime:
    later = offset(seed, plan.spread)
    return Schedule.parse(plan.schedule).next_after(after - later, zone) + later
