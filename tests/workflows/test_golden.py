"""Today's code still decides as the histories of finished runs say: a deployment must not break what is running."""

from pathlib import Path
from types import ModuleType

import pytest

import orchestrators.inspections
import orchestrators.seeding
import orchestrators.sweep
from shared.contracts import inspections, sweep
from shared.contracts.seeding import seed_device
from shared.durable.register import as_orchestrator
from tests.workflows import golden
from tests.workflows.driver import WorkflowFailed
from tests.workflows.record import NIGHTS, STORIES

HISTORIES = sorted(golden.FOLDER.glob("*.json"))
MAX_BYTES = 50_000
ORCHESTRATORS = {
    "seed_device": as_orchestrator(orchestrators.seeding.seed_device, seed_device),
    "sweep_all": as_orchestrator(orchestrators.sweep.sweep_all, sweep.sweep_all),
    "sweep_account": as_orchestrator(orchestrators.sweep.sweep_account, sweep.sweep_account),
    "inspect_all": as_orchestrator(orchestrators.inspections.inspect_all, inspections.inspect_all),
    "inspect_account": as_orchestrator(orchestrators.inspections.inspect_account, inspections.inspect_account),
}


def changed(old: str, new: str, changed: ModuleType = orchestrators.seeding) -> ModuleType:
    """A workflow's module with one change in its text."""
    source = Path(str(changed.__file__)).read_text()
    assert source.count(old) == 1, f"{old!r} stands once in the workflow"
    module = ModuleType("changed")
    exec(compile(source.replace(old, new), "changed.py", "exec"), module.__dict__)
    return module


def test_there_is_a_history_of_every_end() -> None:
    assert {path.stem for path in HISTORIES} == {*NIGHTS, *(f"seed_device-{story.__name__}" for story in STORIES)}
    assert all(path.stat().st_size < MAX_BYTES for path in HISTORIES)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_today_s_code_decides_as_it_did_when_this_was_recorded(path: Path) -> None:
    golden.replay(ORCHESTRATORS[path.stem.partition("-")[0]], golden.read(path))


CHANGES = {
    "no look at the table": ("return (yield from _look(ctx, watch))", "return watch"),
    "another order of activities": (
        "                yield from remind_customer(",
        "                yield from _look(ctx, watch)\n                yield from remind_customer(",
    ),
    "no record of the end": (
        "closed = yield from close_seeding(ctx, CloseSeeding(watch.account, watch.device, state, now(ctx)))",
        "closed = CloseSeeding(watch.account, watch.device, state, now(ctx))",
    ),
    "a shorter run": ("STEPS_A_RUN = 50", "STEPS_A_RUN = 2"),
    "another result": ('f"snapshot {found.snapshot} was found"', '"found"'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_workflow_is_found(change: str) -> None:
    module = changed(*CHANGES[change])
    history = golden.read(golden.FOLDER / "seed_device-found.json")
    with pytest.raises(WorkflowFailed):
        golden.replay(as_orchestrator(module.seed_device, seed_device), history)


def test_the_engine_itself_finds_a_changed_workflow_when_it_replays() -> None:
    """Without our comparison: the last batch alone, on a history that the changed code did not write."""
    module = changed(*CHANGES["no look at the table"])
    history = golden.read(golden.FOLDER / "seed_device-found.json")
    last = max(at for at, event in enumerate(history) if event.HasField("orchestratorStarted"))
    with pytest.raises(WorkflowFailed, match="NonDeterminismError"):
        golden.run_batch(as_orchestrator(module.seed_device, seed_device), history[:last], history[last : last + 1])


def test_a_change_that_no_history_sees_is_none() -> None:
    module = changed("    report(ctx, SeedingStatus(watch.progress, wait.until, watch.reminded), SeedingStatus)\n", "")
    for path in golden.FOLDER.glob("seed_device-*.json"):
        golden.replay(as_orchestrator(module.seed_device, seed_device), golden.read(path))


DOOM, CONDEMN = "    yield from doom_packs(ctx, order)\n", "    condemned = yield from condemn_packs(ctx, order)\n"
NIGHT_CHANGES = {
    "what this night condemns is doomed at once": (
        "sweep_account-swept",
        f"{DOOM}    yield from _delete(ctx, order)\n{CONDEMN}",
        CONDEMN + DOOM,
    ),
    "no second look at what is left": ("sweep_account-swept", "    while step.packs is not None:", "    while False:"),
    "other names of the parts": ("sweep_all-night", "instance_of_night(night.at, o.account)", "str(o.account)"),
    "trouble without a reason": (
        "sweep_account-failing",
        "_stopped(ctx, order, str(failed))",
        '_stopped(ctx, order, "trouble")',
    ),
}


@pytest.mark.parametrize("change", NIGHT_CHANGES)
def test_a_changed_sweep_is_found(change: str) -> None:
    name, old, new = NIGHT_CHANGES[change]
    module = changed(old, new, orchestrators.sweep)
    call = {"sweep_all": sweep.sweep_all, "sweep_account": sweep.sweep_account}[name.partition("-")[0]]
    history = golden.read(golden.FOLDER / f"{name}.json")
    with pytest.raises(WorkflowFailed):
        golden.replay(as_orchestrator(getattr(module, call.name), call), history)
