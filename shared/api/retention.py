"""Retention: the policy of an account, what it says of each snapshot, and what people do to single ones."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from shared.api.backups import BackupSet, Snapshot
from shared.api.base import Count, Instant, Name, Reply, Request, Tagged
from shared.domain import retention as domain
from shared.domain.ids import AccountId, SessionId, UserId
from shared.domain.retention import Verdict, time_zones


def _known(zone: str) -> str:
    if zone not in time_zones():
        raise ValueError("is not the IANA name of a time zone")
    return zone


Places = Annotated[int, Field(ge=0, le=10_000)]
TimeZone = Annotated[str, StringConstraints(max_length=60), AfterValidator(_known)]


class Policy(Request):
    """Every rule keeps snapshots for itself; a count of 0 is no rule."""

    keep_within_days: Annotated[int, Field(ge=0, le=36_525)] = 14
    """The floor: everything younger stays, in days of 24 hours."""
    last: Places = 0
    daily: Places = 0
    weekly: Places = 0
    monthly: Places = 0
    quarterly: Places = 0
    yearly: Places = 0
    time_zone: TimeZone = "Europe/Berlin"

    @classmethod
    def of(cls, policy: domain.Policy) -> "Policy":
        counts = {name: getattr(policy, name) for name in cls.model_fields if name != "keep_within_days"}
        return cls(keep_within_days=policy.keep_within.days, **counts)

    def meant(self) -> domain.Policy:
        rules = self.model_dump()
        return domain.Policy(keep_within=timedelta(days=rules.pop("keep_within_days")), **rules)


Sets = Annotated[dict[BackupSet, Policy], Field(max_length=50)]
Preset = Literal["netik-14d", "netgo-gfs-12m", "netgo-gfs-5y"]


class Policies(Request):
    """Either `policy` or `preset` for the account, and policies of their own for some of its backup sets."""

    policy: Policy | None = None
    preset: Preset | None = None
    sets: Sets = Field(default_factory=dict)


class PutRetention(Policies):
    confirm: AccountId | None = None
    """The account's id once more: wanted when some snapshot might be kept less long than now."""


class Simulate(Policies):
    """Without `policy`, `preset` and `sets`: what is in force."""

    at: Instant | None = None
    """Now, or a later time; no snapshots are foreseen that are not there yet."""


class PendingRetention(Reply):
    """A shortening that waits, and can be called off until then."""

    policy: Policy
    sets: dict[str, Policy]
    by: UserId
    asked_at: Instant
    in_force_at: Instant


class Retention(Tagged):
    account: AccountId
    policy: Policy
    sets: dict[str, Policy]
    changed_at: Instant | None = None
    """`null`: the default, that nobody chose."""
    changed_by: UserId | None = None
    pending: PendingRetention | None = None


class Judgement(Reply):
    """What a policy says of one snapshot."""

    snapshot: SessionId
    verdict: Verdict
    reasons: list[str]
    """Every rule that keeps it; for an expiry why none does."""


class Simulation(Reply):
    """Newest first."""

    at: Instant
    kept: Count
    expired: Count
    judgements: list[Judgement]


class Explanation(Reply):
    snapshot: Snapshot
    judgement: Judgement
    """As of now; only a sweep expires, so an expiry may be still to come."""


class PlaceHold(Request):
    reason: Name
    """Such as a file number: shown to whoever asks why the snapshot is still there."""
