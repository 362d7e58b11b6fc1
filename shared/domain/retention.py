"""Which snapshots stay, and why, by the clock of the service and from nothing but a list (N3, N4, G4; design 5)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from shared.domain.commits import Snapshot
from shared.domain.ids import DeviceId, SessionId

_HOUR = timedelta(hours=1)
_MACHINES_OWN = {"localtime", "Factory"}


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule keeps snapshots for itself: what one keeps, no other takes away. A count of 0 is no rule."""

    keep_within: timedelta = timedelta(days=14)
    """The floor: everything younger stays (N3)."""
    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    quarterly: int = 0
    yearly: int = 0
    time_zone: str = "Europe/Berlin"
    """An IANA name: where a day ends."""


@dataclass(frozen=True, slots=True)
class Policies:
    """An account's policy, and those of the backup sets that have one of their own."""

    account: Policy = field(default_factory=Policy)
    sets: Mapping[str, Policy] = field(default_factory=dict[str, Policy])

    def of(self, backup_set: str) -> Policy:
        return self.sets.get(backup_set, self.account)


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """What the judgement needs of a snapshot."""

    id: SessionId
    device: DeviceId
    backup_set: str
    """`""` is the default set."""
    committed_at: datetime
    held: tuple[str, ...] = ()
    """Why it is held."""
    pinned: bool = False
    expired_at: datetime | None = None


class Verdict(StrEnum):
    KEEP = "keep"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Judgement:
    id: SessionId
    verdict: Verdict
    reasons: tuple[str, ...]
    """Every rule that keeps it; for an expiry why none does."""


type _Reasons = dict[SessionId, str]
type _Bucket = Callable[[datetime], str]

_CALENDAR: dict[str, _Bucket] = {
    "daily": lambda local: f"{local:%Y-%m-%d}",
    "weekly": lambda local: f"{local:%G-W%V}",
    "monthly": lambda local: f"{local:%Y-%m}",
    "quarterly": lambda local: f"{local.year}-Q{(local.month + 2) // 3}",
    "yearly": lambda local: f"{local.year}",
}
"""In which bucket of the policy's own calendar a snapshot lies; weeks are ISO 8601's."""


def judge(
    snapshots: Sequence[RestorePoint], policies: Policies, now: datetime, active_devices: Set[DeviceId]
) -> list[Judgement]:
    """One judgement a snapshot, newest first; rules count within a device and backup set.

    What was committed after `now` is within any floor and takes nobody's place; what is expired takes none either.
    """
    groups: dict[tuple[DeviceId, str], list[RestorePoint]] = {}
    newest_first = sorted(snapshots, key=_age, reverse=True)
    for point in newest_first:
        groups.setdefault((point.device, point.backup_set), []).append(point)
    judged = {
        judgement.id: judgement
        for (device, backup_set), group in groups.items()
        for judgement in _judge(group, policies.of(backup_set), now, active=device in active_devices)
    }
    return [judged[point.id] for point in newest_first]


def is_shortening(old: Policies, new: Policies) -> bool:
    """Whether some snapshot, there now or still to come, might be kept less long: compared rule by rule."""
    sets = {*old.sets, *new.sets}
    return _shortens(old.account, new.account) or any(_shortens(old.of(name), new.of(name)) for name in sets)


def restore_point(snapshot: Snapshot) -> RestorePoint:
    return RestorePoint(
        id=snapshot.id,
        device=snapshot.device,
        backup_set=snapshot.backup_set,
        committed_at=snapshot.committed_at,
        held=tuple(hold.reason for hold in snapshot.holds),
        pinned=snapshot.pinned,
        expired_at=snapshot.expired_at,
    )


@cache
def time_zones() -> frozenset[str]:
    """The names a policy may use: those that mean the same on every machine."""
    return frozenset(available_timezones() - _MACHINES_OWN)


def _age(point: RestorePoint) -> tuple[datetime, SessionId]:
    """Of two that were committed at the same time, the greater identity is the newer one."""
    return point.committed_at, point.id


def _judge(newest_first: list[RestorePoint], policy: Policy, now: datetime, *, active: bool) -> Iterator[Judgement]:
    rivals = [point for point in newest_first if point.expired_at is None and point.committed_at <= now]
    kept, passed = _by_rules(rivals, policy)
    for point in newest_first:
        reasons = _marks(point)
        if point.expired_at is None:
            reasons += ["newest of device"] if active and rivals and point is rivals[0] else []
            reasons += [f"within {_words(policy.keep_within)}"] if now - point.committed_at < policy.keep_within else []
            reasons += kept.get(point.id, [])
        if reasons:
            yield Judgement(point.id, Verdict.KEEP, tuple(reasons))
        elif point.expired_at is not None:
            yield Judgement(point.id, Verdict.EXPIRE, (f"expired since {point.expired_at:%Y-%m-%d %H:%M} UTC",))
        else:
            against = [f"older than {_words(policy.keep_within)}", *passed.get(point.id, [])]
            yield Judgement(point.id, Verdict.EXPIRE, tuple(against))


def _marks(point: RestorePoint) -> list[str]:
    """What keeps a snapshot whatever the policy says."""
    held = [f"held: {reason}" for reason in point.held]
    return [*held, "pinned"] if point.pinned else held


def _by_rules(rivals: list[RestorePoint], policy: Policy) -> tuple[dict[SessionId, list[str]], ...]:
    """What the rules say for a snapshot, and what they say against it."""
    zone = ZoneInfo(policy.time_zone)
    told = [_by_number(policy.last, rivals)]
    told += [_by_calendar(name, count, rivals, zone) for name, count in _calendar_counts(policy).items() if count]
    return _gathered(kept for kept, _ in told), _gathered(passed for _, passed in told)


def _by_number(count: int, rivals: list[RestorePoint]) -> tuple[_Reasons, _Reasons]:
    kept = {point.id: f"last {n} of {count}" for n, point in enumerate(rivals[:count], start=1)}
    passed = {point.id: f"last: {count} newer ones are kept" for point in rivals[count:] if count}
    return kept, passed


def _by_calendar(name: str, count: int, rivals: list[RestorePoint], zone: tzinfo) -> tuple[_Reasons, _Reasons]:
    """The newest of each bucket, newest first, until `count` are found; while places are left, the oldest as well."""
    kept: _Reasons = {}
    passed: _Reasons = {}
    buckets: set[str] = set()
    for point in rivals:
        bucket = _CALENDAR[name](point.committed_at.astimezone(zone))
        if len(kept) == count:
            passed[point.id] = f"{name}: {count} newer ones are kept"
        elif bucket not in buckets:
            buckets.add(bucket)
            kept[point.id] = f"{name} {len(kept) + 1} of {count}: {bucket}"
        elif point is rivals[-1]:
            kept[point.id] = f"{name} {len(kept) + 1} of {count}: the oldest there is"
        else:
            passed[point.id] = f"{name}: a newer one stands for {bucket}"
    return kept, passed


def _gathered(told: Iterable[_Reasons]) -> dict[SessionId, list[str]]:
    found: dict[SessionId, list[str]] = {}
    for reasons in told:
        for point, reason in reasons.items():
            found.setdefault(point, []).append(reason)
    return found


def _calendar_counts(policy: Policy) -> dict[str, int]:
    return {name: getattr(policy, name) for name in _CALENDAR}


def _shortens(old: Policy, new: Policy) -> bool:
    before, after = _calendar_counts(old), _calendar_counts(new)
    fewer = new.last < old.last or any(after[name] < before[name] for name in before)
    other_days = old.time_zone != new.time_zone and any(before.values())
    return fewer or other_days or new.keep_within < old.keep_within


def _words(period: timedelta) -> str:
    return f"{period.days} days" if period == timedelta(days=period.days) else f"{period // _HOUR} hours"
