"""Restore points and policies to judge, drawn and by hand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from shared.domain.ids import DeviceId, SessionId
from shared.domain.retention import Judgement, Policies, Policy, RestorePoint, Verdict, judge

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
LAPTOP, SERVER = (DeviceId.of_number(n) for n in (1, 2))
ACTIVE = frozenset({LAPTOP, SERVER})
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "UTC")
COUNTS = ("last", "daily", "weekly", "monthly", "quarterly", "yearly")
NOTHING = Policy(keep_within=timedelta())

ages = st.one_of(st.integers(0, 3 * 24), st.integers(0, 60 * 24), st.integers(0, 8 * 366 * 24))
"""In hours: many lie close together, as backups do."""
counts = st.one_of(st.just(0), st.integers(0, 12))
spans = st.integers(0, 30 * 24).map(lambda hours: timedelta(hours=hours))
policies = st.builds(Policy, keep_within=spans, **dict.fromkeys(COUNTS, counts), time_zone=st.sampled_from(ZONES))
whole_policies = st.builds(Policies, policies, st.dictionaries(st.sampled_from(["", "mail"]), policies, max_size=2))


@st.composite
def points(draw: st.DrawFn, *, marked: bool = True) -> list[RestorePoint]:
    """Of two devices and two sets, at most 40, also at equal times."""
    found = draw(st.lists(st.tuples(ages, st.booleans(), st.booleans(), st.integers(0, 9)), max_size=40))
    return [
        RestorePoint(
            id=SessionId.of_number(number),
            device=LAPTOP if on_laptop else SERVER,
            backup_set="mail" if of_mail else "",
            committed_at=NOW - timedelta(hours=age),
            held=("a court asks",) if marked and chance == 0 else (),
            pinned=marked and chance in (1, 4),
            expired_at=NOW - timedelta(hours=1) if marked and chance in (1, 2, 3) else None,
        )
        for number, (age, on_laptop, of_mail, chance) in enumerate(found, start=1)
    ]


def point(number: int, committed_at: datetime) -> RestorePoint:
    return RestorePoint(SessionId.of_number(number), LAPTOP, "", committed_at)


def at(*times: datetime) -> list[RestorePoint]:
    """One a time, numbered from 1 in the order given."""
    return [point(number, time) for number, time in enumerate(times, start=1)]


def judged(found: Iterable[RestorePoint], policy: Policy | Policies, now: datetime = NOW) -> list[Judgement]:
    """Nothing stays for being the newest of its device: only the rules speak."""
    return judge(list(found), Policies(policy) if isinstance(policy, Policy) else policy, now, frozenset())


def kept(judgements: Iterable[Judgement]) -> set[SessionId]:
    return {judgement.id for judgement in judgements if judgement.verdict is Verdict.KEEP}


def left(found: Iterable[RestorePoint], judgements: Iterable[Judgement]) -> list[RestorePoint]:
    stays = kept(judgements)
    return [one for one in found if one.id in stays]


def swept(found: Iterable[RestorePoint], judgements: Iterable[Judgement], now: datetime) -> list[RestorePoint]:
    """What a sweep writes: those that nothing keeps are expired, and none is removed yet."""
    stays = kept(judgements)
    return [one if one.id in stays or one.expired_at else replace(one, expired_at=now) for one in found]
