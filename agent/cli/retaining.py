"""`hort retention`: the account's policy, what it would do, and why a snapshot stays."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from agent.cli.device import Device
from agent.cli.home import find_home, password
from agent.cli.marking import Marked, mark_lines, marked
from agent.cli.output import Outcome, columns, count
from agent.cli.remote import service_as, service_of
from agent.cli.vaults import only_one
from agent.patience import Patience
from agent.service import Service
from agent.transport import Transport
from shared.api import retention as api
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, SessionId


@dataclass(frozen=True, slots=True)
class Rules:
    """What was said on the command line; `None`: nothing."""

    keep_within_days: int | None
    last: int | None
    daily: int | None
    weekly: int | None
    monthly: int | None
    quarterly: int | None
    yearly: int | None
    time_zone: str | None

    def said(self) -> dict[str, int | str]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    keep_within_days: int
    last: int
    daily: int
    weekly: int
    monthly: int
    quarterly: int
    yearly: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class PendingPolicy:
    """A change that waits, and can be called off until then."""

    policy: PolicyInfo
    sets: dict[str, PolicyInfo]
    in_force_at: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """The document of `show`, `set` and `call-off`."""

    account: AccountId
    policy: PolicyInfo
    sets: dict[str, PolicyInfo]
    changed_at: datetime | None
    pending: PendingPolicy | None


@dataclass(frozen=True, slots=True)
class Judged:
    session: SessionId
    committed_at: datetime | None
    """`None`: it was made while we asked."""
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    at: datetime
    kept: int
    expired: int
    snapshots: tuple[Judged, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Explanation:
    snapshot: Marked
    verdict: str
    reasons: tuple[str, ...]


def show() -> Outcome[Retention]:
    device = Device.load(find_home())
    return _shown(service_of(device, Transport(Patience())).retention(device.registration.account))


def change(
    login: str, password_file: Path | None, preset: str | None, rules: Rules, for_set: str | None, confirm: str | None
) -> Outcome[Retention]:
    """Policies of other backup sets stay as they are. Raises `Malformed`."""
    service, account = _person(login, password_file)
    seen = service.retention(account)
    wanted = _policies(seen, preset, rules, for_set)
    if wanted is None:
        raise Malformed("policy", "say --preset or at least one rule")
    order = _parsed(api.PutRetention, {**wanted.model_dump(), "confirm": confirm})
    return _shown(service.put_retention(account, order, seen.etag))


def call_off(login: str, password_file: Path | None) -> Outcome[Retention]:
    service, account = _person(login, password_file)
    return _shown(service.call_off_shortening(account))


def simulate(
    login: str, password_file: Path | None, preset: str | None, rules: Rules, for_set: str | None, at: datetime | None
) -> Outcome[Simulation]:
    """`at` without a zone is UTC."""
    service, account = _person(login, password_file)
    wanted = _policies(service.retention(account), preset, rules, for_set)
    named = {} if wanted is None else wanted.model_dump()
    when = at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
    found = service.simulate_retention(account, _parsed(api.Simulate, {**named, "at": when}))
    times = {each.id: each.committed_at for each in service.snapshots(account)}
    judged = (Judged(j.snapshot, times.get(j.snapshot), j.verdict, tuple(j.reasons)) for j in found.judgements)
    return Outcome(Simulation(found.at, found.kept, found.expired, tuple(judged)), _simulation_lines)


def explain(snapshot: str) -> Outcome[Explanation]:
    device = Device.load(find_home())
    service, account = service_of(device, Transport(Patience())), device.registration.account
    chosen = only_one((each.id for each in service.snapshots(account)), snapshot)
    told = service.explain_snapshot(account, chosen)
    found = Explanation(marked(told.snapshot), told.judgement.verdict, tuple(told.judgement.reasons))
    return Outcome(found, _explanation_lines)


def _person(login: str, password_file: Path | None) -> tuple[Service, AccountId]:
    device = Device.load(find_home())
    return service_as(device, login, password(password_file, login)), device.registration.account


def _policies(seen: api.Retention, preset: str | None, rules: Rules, for_set: str | None) -> api.Policies | None:
    """All that the account's policies would be. `None`: nothing was said. Raises `Malformed`."""
    said = rules.said()
    if preset is not None and (said or for_set is not None):
        raise Malformed("preset", "goes without rules, and without --for-set")
    if preset is not None:
        return _parsed(api.Policies, {"preset": preset, "sets": seen.sets})
    if not said:
        return None
    if for_set is not None:
        return _parsed(api.Policies, {"policy": seen.policy, "sets": {**seen.sets, for_set: said}})
    return _parsed(api.Policies, {"policy": said, "sets": seen.sets})


def _parsed[P: api.Policies](kind: type[P], said: dict[str, object]) -> P:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise Malformed(".".join(map(str, first["loc"])), first["msg"]) from None


def _shown(found: api.Retention) -> Outcome[Retention]:
    waits = found.pending
    pending = waits and PendingPolicy(_info(waits.policy), _infos(waits.sets), waits.in_force_at)
    told = Retention(found.account, _info(found.policy), _infos(found.sets), found.changed_at, pending)
    return Outcome(told, _lines)


def _info(policy: api.Policy) -> PolicyInfo:
    return PolicyInfo(**policy.model_dump())


def _infos(sets: dict[str, api.Policy]) -> dict[str, PolicyInfo]:
    return {name: _info(policy) for name, policy in sets.items()}


def _lines(found: Retention) -> Iterator[str]:
    yield f"Account      {found.account}"
    yield f"Policy       {_in_words(found.policy)}{'' if found.changed_at else ', the default'}"
    yield from (f"Set {name:<8} {_in_words(policy)}" for name, policy in found.sets.items())
    if found.pending is not None:
        waits = found.pending
        yield f"From {waits.in_force_at:%Y-%m-%d %H:%M} UTC: {_in_words(waits.policy)}"
        yield from (f"    set {name}: {_in_words(policy)}" for name, policy in waits.sets.items())
        yield "             `hort retention call-off` stops it until then"


def _in_words(policy: PolicyInfo) -> str:
    """Such as `all of 14 days, 15 daily, 6 weekly (Europe/Berlin)`."""
    places = ("last", "daily", "weekly", "monthly", "quarterly", "yearly")
    rules = [f"{getattr(policy, name)} {name}" for name in places if getattr(policy, name)]
    return ", ".join([f"all of {count(policy.keep_within_days, 'day')}", *rules]) + f" ({policy.time_zone})"


def _simulation_lines(found: Simulation) -> Iterator[str]:
    yield f"At {found.at:%Y-%m-%d %H:%M} UTC: {found.kept:,} stay, {found.expired:,} go"
    if found.snapshots:
        yield from columns([("SNAPSHOT", "COMMITTED (UTC)", "", "WHY"), *map(_row, found.snapshots)])


def _row(each: Judged) -> tuple[str, ...]:
    when = "" if each.committed_at is None else f"{each.committed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return (each.session, when, "stays" if each.verdict == "keep" else "goes", "; ".join(each.reasons))


def _explanation_lines(found: Explanation) -> Iterator[str]:
    yield f"Snapshot {found.snapshot.session} of {found.snapshot.committed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    yield f"{'stays' if found.verdict == 'keep' else 'goes'}: {'; '.join(found.reasons)}"
    yield from mark_lines(found.snapshot)
    yield from (f"hold {each.id}" for each in found.snapshot.holds)
