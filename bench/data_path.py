"""Measures the agent against restic and borg: `python -m bench.data_path` writes `bench/results/data-path.json`.

All tools work on the same input, phase by phase and in turns, so that a busy moment of the machine hits them alike.
The page cache is warm for all, and nothing waits for the disk when a phase begins. `bytes_sent` is what the
repository grew by, `repo_bytes` what it came to; both are sums of file sizes, behind the service those of Azurite.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from bench import picture
from bench.inputs import Case, cases
from bench.measure import Command, Cost, run
from bench.peers import REPOSITORY, Borg, Hort, Repository, Restic, found
from demo.compare import compare
from demo.stack import Stack

RESULTS = REPOSITORY / "bench" / "results" / "data-path.json"
PICTURE = REPOSITORY / "docs" / "data-path.svg"
RUNS = 3
SMALL = 0.001
FOLDER, AZURITE = "folder", "azurite"


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of the runs."""

    case: str
    phase: str
    target: str
    tool: str
    version: str
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    bytes_sent: int
    repo_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and with which programs; those that are not there are left out."""

    restic: str | None
    borg: str | None
    rclone: str | None
    targets: Sequence[str]
    cases: Sequence[Case]
    runs: int


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    command: Callable[[Repository, Path], Command]
    """Of a repository and a fresh place for what it restores."""


@dataclass(frozen=True, slots=True)
class _Measured:
    cost: Cost
    bytes_sent: int
    repo_bytes: int


type _Key = tuple[str, str, str, str, str]


class Bench:
    """All measurements below one folder."""

    def __init__(self, plan: Plan, work: Path) -> None:
        self._plan, self._work = plan, work
        self._numbers = count()
        self._measured: defaultdict[_Key, list[_Measured]] = defaultdict(list)

    def rows(self) -> list[Row]:
        for case in self._plan.cases:
            source = self._work / case.name
            case.build(source)
            for target in self._plan.targets:
                for number in range(self._plan.runs):
                    self._run(case, source, target, number)
            shutil.rmtree(source)
        return [_row(key, measured) for key, measured in self._measured.items()]

    def _run(self, case: Case, source: Path, target: str, number: int) -> None:
        """One run: every phase with every tool, each run with another one first."""
        work = self._work / f"run-{next(self._numbers)}"
        work.mkdir()
        with self._repositories(target, work) as all_of_them:
            turns = [*all_of_them[number % len(all_of_them) :], *all_of_them[: number % len(all_of_them)]]
            for repository in turns:
                for command in repository.make():
                    run(command, work / "log")
            for phase in _phases(source, source / case.one):
                if phase.name == "edited":
                    case.edit(source, next(self._numbers))
                for repository in turns:
                    key = case.name, phase.name, target, repository.tool, repository.version
                    self._measured[key].append(self._phase(phase, repository, source, work))
                    _say(key, self._measured[key][-1].cost)
        shutil.rmtree(work)

    def _phase(self, phase: _Phase, repository: Repository, source: Path, work: Path) -> _Measured:
        restored = work / "restored"
        before = _stored_bytes(repository)
        os.sync()
        cost = run(phase.command(repository, restored), work / "log")
        if phase.name == "restore" and (differences := compare(source, restored / source.relative_to("/"))):
            raise AssertionError(f"{repository.tool} restored something else: {differences[:3]}")
        if restored.exists():
            shutil.rmtree(restored)
        after = _stored_bytes(repository)
        return _Measured(cost, after - before, after)

    @contextmanager
    def _repositories(self, target: str, work: Path) -> Generator[Sequence[Repository]]:
        with ExitStack() as services:
            yield [make(services) for make in self._makers(target, work)]

    def _makers(self, target: str, work: Path) -> Iterator[Callable[[ExitStack], Repository]]:
        """Behind the service each tool has an Azurite of its own, so that what it stores can be told apart."""
        plan, name = self._plan, work.name

        def stack(services: ExitStack, tool: str) -> Stack | None:
            started = Stack.start(work / f"{tool}-service") if target == AZURITE else None
            return services.enter_context(started) if started else None

        yield lambda services: Hort(work / f"hort-{name}", stack(services, "hort"))
        if (restic := plan.restic) and (target == FOLDER or plan.rclone):
            yield lambda services: Restic(
                restic, work / f"restic-{name}", stack(services, "restic"), plan.rclone or "rclone"
            )
        if (borg := plan.borg) and target == FOLDER:
            yield lambda _: Borg(borg, work / f"borg-{name}")


def _phases(source: Path, one: Path) -> Sequence[_Phase]:
    return (
        _Phase("first", lambda repository, _: repository.backup(source)),
        _Phase("unchanged", lambda repository, _: repository.backup(source)),
        _Phase("edited", lambda repository, _: repository.backup(source)),
        _Phase("restore", lambda repository, restored: repository.restore(restored)),
        _Phase("one file", lambda repository, restored: repository.restore_one(one, restored)),
        _Phase("check", lambda repository, _: repository.check()),
    )


def _stored_bytes(repository: Repository) -> int:
    return sum(path.stat().st_size for path in repository.stored.rglob("*") if path.is_file())


def _row(key: _Key, measured: Sequence[_Measured]) -> Row:
    return Row(
        *key,
        seconds=round(statistics.median(each.cost.seconds for each in measured), 2),
        cpu_seconds=round(statistics.median(each.cost.cpu_seconds for each in measured), 2),
        peak_rss_mb=round(statistics.median(each.cost.peak_rss_mb for each in measured), 1),
        bytes_sent=int(statistics.median(each.bytes_sent for each in measured)),
        repo_bytes=int(statistics.median(each.repo_bytes for each in measured)),
    )


def _say(key: _Key, cost: Cost) -> None:
    case, phase, target, tool, _ = key
    costs = f"{cost.seconds:8.2f} s {cost.cpu_seconds:8.2f} s of CPU {cost.peak_rss_mb:6.0f} MB"
    sys.stdout.write(f"{case:6} {phase:10} {target:8} {tool:7} {costs}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] = ()) -> int:
    wish = _parser().parse_args(arguments)
    chosen = [case for case in cases(SMALL if wish.small else wish.scale) if case.name in wish.cases]
    plan = Plan(wish.restic, wish.borg, wish.rclone, wish.targets, chosen, 1 if wish.small else wish.runs)
    with tempfile.TemporaryDirectory(prefix="hort-bench-", dir=wish.work) as work:
        rows = Bench(plan, Path(work)).rows()
    wish.output.parent.mkdir(parents=True, exist_ok=True)
    wish.output.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    wish.picture.write_text(_picture(rows))
    return 0


def _picture(rows: Sequence[Row]) -> str:
    shown = [
        picture.Bar(f"{row.case}, {row.phase}, {row.target}", f"{row.tool} {row.version}", row.seconds, _label(row))
        for row in sorted(rows, key=lambda row: row.target != FOLDER)
    ]
    return picture.bars("Seconds a phase, medians", shown)


def _label(row: Row) -> str:
    return f"{row.seconds:.1f} s, {row.peak_rss_mb:.0f} MB of memory"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.data_path", description=__doc__)
    parser.add_argument("--small", action="store_true", help="tiny inputs, one run: to see that it works")
    parser.add_argument("--scale", type=float, default=1.0, help="of the inputs: 1 is 100,000 files, 2 GiB, 1 GiB")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--restic", default=found("restic"), help="the program; left out where there is none")
    parser.add_argument("--borg", default=found("borg"))
    parser.add_argument("--rclone", default=found("rclone"), help="restic's way to Azurite")
    parser.add_argument("--targets", nargs="+", default=[FOLDER, AZURITE], choices=[FOLDER, AZURITE])
    parser.add_argument("--cases", nargs="+", default=["tree", "image", "noise"])
    parser.add_argument("--work", type=Path, default=None, help="where inputs and repositories lie; 30 GB")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
