"""`hort plan`, and `hort backup --plan`."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tzlocal import get_localzone

from agent.cli.backing_up import BackupWish, back_up
from agent.cli.home import find_home
from agent.cli.output import Outcome, columns
from agent.config import Home
from agent.engine.globs import Rules
from agent.engine.orders import BackupReport, utc_now
from agent.plans import plan as plans
from agent.plans.bandwidth import Limits
from agent.plans.due import Runs, due_at
from agent.plans.plan import Kind, Plan, Plans
from agent.shelf import Shelf
from shared.domain.errors import Malformed


@dataclass(frozen=True, slots=True)
class Planned:
    name: str
    schedule: str
    kind: Kind
    enabled: bool
    began_at: datetime | None
    next_at: datetime | None
    """None when it is disabled; a moment that is past means at once."""
    message: str


@dataclass(frozen=True, slots=True)
class PlanList:
    plans: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    plan: Mapping[str, Any] | None
    """None once it was removed."""
    text: str


def list_plans() -> Outcome[PlanList]:
    home = find_home()
    shelf = Shelf(home)
    runs = shelf.runs()
    found = (_planned(home, name, plan, runs.get(name, Runs())) for name, plan in shelf.plans().plan.items())
    return Outcome(PlanList(tuple(found)), _list_lines)


def show_plan(name: str) -> Outcome[Shown]:
    return _shown(name, Shelf(find_home()).plan(name))


def set_plan(name: str, given: Mapping[str, Any]) -> Outcome[Shown]:
    """Raises `Malformed` with what is wrong; then nothing was changed."""
    shelf = Shelf(find_home())
    known = shelf.plans()
    before = known.plan[name].model_dump() if name in known.plan else {}
    changed = plans.validated({"plan": {**known.plan, name: {**before, **_absolute(given)}}})
    wish_of(name, changed.plan[name])
    shelf.write(changed)
    return _shown(name, changed.plan[name])


def remove_plan(name: str) -> Outcome[Shown]:
    shelf = Shelf(find_home())
    shelf.plan(name)
    shelf.write(shelf.plans().changed(name, None))
    return Outcome(Shown(name, None, ""), lambda shown: [f"{shown.name} is forgotten; its snapshots stay"])


def run_plan(name: str, *, silent: bool) -> Outcome[BackupReport]:
    """Now, and on record: the daemon counts from here."""
    shelf = Shelf(find_home())
    plan, began_at = shelf.plan(name), utc_now()
    outcome = back_up(wish_of(name, plan), plan.vault or None, silent=silent)
    shelf.record(name, Runs().after_success(began_at, ended(outcome.document)))
    return outcome


def wish_of(name: str, plan: Plan) -> BackupWish:
    """Every snapshot of ours is complete, so an incremental backup and a synthetic full one are the same run.

    Raises `Malformed` when a path is left out by the plan itself: it would be backed up as an empty folder.
    """
    rules = Rules.of((), (), plan.ignore)
    for path in plan.paths:
        if rules.leaves_out(os.fsencode(path).strip(b"/"), folder=True):
            raise Malformed("paths", f"{path} is left out by the plan's own excludes or presets")
    return BackupWish(
        paths=tuple(Path(path) for path in plan.paths),
        include=(),
        exclude=(),
        one_file_system=plan.one_file_system,
        reread=False,
        threads=plan.threads,
        ignore=plan.ignore,
        anew=plan.kind is Kind.ACTIVE_FULL,
        backup_set=name,
        limits=Limits.parse(plan.limit),
    )


def ended(report: BackupReport) -> str:
    skipped = f", {report.skipped_count:,} skipped" if report.skipped_count else ""
    return f"snapshot {report.session}{skipped}"


def seed_of(home: Home, name: str) -> str:
    """Tells devices and plans apart, so that they begin at moments of their own."""
    return f"{home.registration().device}/{name}"


def _absolute(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "paths" not in given:
        return given
    return {**given, "paths": [str(Path(path).absolute()) for path in given["paths"]]}


def _planned(home: Home, name: str, plan: Plan, runs: Runs) -> Planned:
    next_at = due_at(plan, runs, seed_of(home, name), get_localzone(), utc_now()) if plan.enabled else None
    return Planned(name, plan.schedule, plan.kind, plan.enabled, runs.began_at, next_at, runs.message)


def _shown(name: str, plan: Plan) -> Outcome[Shown]:
    text = plans.write(Plans(plan={name: plan}))
    return Outcome(Shown(name, plan.model_dump(mode="json"), text), lambda shown: shown.text.splitlines()[3:])


def _list_lines(found: PlanList) -> Iterator[str]:
    if not found.plans:
        yield "No plans yet: see `hort plan set --help`."
        return
    head = ("PLAN", "SCHEDULE", "KIND", "LAST RUN", "NEXT RUN", "")
    yield from columns([head, *(_row(each) for each in found.plans)])


def _row(each: Planned) -> tuple[str, ...]:
    following = _local(each.next_at) if each.enabled else "disabled"
    return (each.name, each.schedule, each.kind.value, _local(each.began_at), following, each.message)


def _local(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(get_localzone()):%Y-%m-%d %H:%M}"
