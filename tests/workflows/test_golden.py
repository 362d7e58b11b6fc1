"""Today's code still decides as the histories of finished runs say: a deployment must not break what is running."""

from pathlib import Path
from types import ModuleType

import pytest

import orchestrators.seeding
from shared.contracts.seeding import seed_device
from shared.durable.register import as_orchestrator
from tests.workflows import golden
from tests.workflows.driver import WorkflowFailed
from tests.workflows.record import STORIES

HISTORIES = sorted(golden.FOLDER.glob("*.json"))
MAX_BYTES = 50_000
SOURCE = Path(orchestrators.seeding.__file__).read_text()


def changed(old: str, new: str) -> ModuleType:
    """The workflow's module with one change in its text."""
    assert SOURCE.count(old) == 1, f"{old!r} stands once in the workflow"
    module = ModuleType("changed")
    exec(compile(SOURCE.replace(old, new), "changed.py", "exec"), module.__dict__)
    return module


def test_there_is_a_history_of_every_end() -> None:
    assert {path.stem for path in HISTORIES} == {f"seed_device-{story.__name__}" for story in STORIES}
    assert all(path.stat().st_size < MAX_BYTES for path in HISTORIES)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_today_s_code_decides_as_it_did_when_this_was_recorded(path: Path) -> None:
    golden.replay(as_orchestrator(orchestrators.seeding.seed_device, seed_device), golden.read(path))


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
    for path in HISTORIES:
        golden.replay(as_orchestrator(module.seed_device, seed_device), golden.read(path))
