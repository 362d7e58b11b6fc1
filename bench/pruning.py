"""Thirty snapshots of a large tree, five to keep: our sweep beside restic's and borg's pruning.

`python -m bench.pruning`. The backups before it are not timed. Ours is the process that runs the operations, against
Azurite; the others are processes of their own, on a local repository, and are left out where they are not installed.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bench.steps import sweep
from demo.device import Device
from demo.stack import OPERATOR, Stack
from operator_cli.provider import Provider
from shared.api.identity import CreateUser
from shared.contracts.sweep import SweepAccount
from shared.domain.ids import AccountId, CustomerId, UserId
from shared.domain.retention import Policies, Policy
from shared.domain.tenancy import Role
from shared.format.names import packs_container
from shared.operations import retention
from shared.operations.retention import ChangePolicy
from shared.services import Services

FILES, SNAPSHOTS, KEEP = 40_000, 30, 5
MAX_FILE_BYTES = 8_000
CHANGED, ADDED_AND_REMOVED = 0.01, 0.002
"""Of all files, between two snapshots."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    files: int = FILES
    snapshots: int = SNAPSHOTS
    keep: int = KEEP
    others: bool = True
    """Beside ours, those that are installed."""


@dataclass(frozen=True, slots=True)
class Pruned:
    tool: str
    what: str
    files: int
    snapshots: int
    kept: int
    seconds: float
    cpu_seconds: float
    stored_before_bytes: int
    freed_bytes: int
    command: str = "python -m bench.pruning"


class Restic:
    def __init__(self, folder: Path) -> None:
        self.repository = folder / "restic"
        self._environment = {"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(folder / "restic-cache")}
        self._run("init")

    def back_up(self, tree: Path) -> None:
        self._run("backup", "--quiet", str(tree))

    def pruned(self, plan: Plan) -> list[Pruned]:
        """The default, which packs anew what is half unused, and beside it what only deletes, as we do."""
        copy = self.repository.with_name("restic-copy")
        shutil.copytree(self.repository, copy)
        forget = ["forget", "--keep-last", str(plan.keep), "--prune"]
        found = [_measured(plan, "restic", "forget --prune", self.repository, [lambda: self._run(*forget)])]
        self.repository = copy
        forget += ["--max-unused", "unlimited"]
        what = "forget --prune --max-unused unlimited"
        return [*found, _measured(plan, "restic", what, copy, [lambda: self._run(*forget)])]

    def _run(self, *arguments: str) -> None:
        _run(["restic", "--repo", str(self.repository), *arguments], self._environment)


class Borg:
    def __init__(self, folder: Path) -> None:
        self.repository = folder / "borg"
        self._environment = {"BORG_PASSPHRASE": "bench", "BORG_BASE_DIR": str(folder / "borg-base")}
        self._number = 0
        self._run("init", "--encryption", "repokey-blake2", str(self.repository))

    def back_up(self, tree: Path) -> None:
        self._number += 1
        self._run("create", f"{self.repository}::{self._number}", str(tree))

    def pruned(self, plan: Plan) -> list[Pruned]:
        prune = ["prune", "--keep-last", str(plan.keep), str(self.repository)]
        steps = [lambda: self._run(*prune), lambda: self._run("compact", str(self.repository))]
        return [_measured(plan, "borg", "prune + compact", self.repository, steps)]

    def _run(self, *arguments: str) -> None:
        _run(["borg", *arguments], self._environment)


class Hort:
    """A customer of a service of its own; the sweep runs in this process, in a time that it moves itself."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        operator = Provider(stack.url, OPERATOR, stack.operator_password())
        self.customer: CustomerId = operator.create_customer("Bench GmbH").id
        self.account: AccountId = operator.create_account(self.customer, "Laptops").id
        user = CreateUser(name="Anna Berg", login="anna@example.com", role=Role.ADMIN)
        made = operator.create_user(self.customer, user)
        self.user: UserId = made.id
        passwords = folder / "first-password", folder / "own-password"
        for path, text in zip(passwords, (made.password, f"own {made.password}"), strict=True):
            path.write_text(text)
        self.device = Device(folder / "hort")
        told = ["--password-file", str(passwords[0]), "--new-password-file", str(passwords[1])]
        told += ["--service", stack.url, "--login", user.login, "--kit", str(folder / "kit.txt"), "--name", "laptop"]
        self.device.hort("register", *told)
        self.idle: AccountId = operator.create_account(self.customer, "Nothing in it").id
        self.at: datetime = stack.settings.clock()
        self.services = Services(stack.settings.model_copy(update={"clock": lambda: self.at}))

    def back_up(self, tree: Path) -> None:
        self.device.hort("backup", str(tree))

    def pruned(self, plan: Plan) -> list[Pruned]:
        """All that a sweep does for it, first with nothing known of the vault, as if it had never been swept."""
        sweep(self.services, SweepAccount(self.customer, self.idle, self.at))  # a service that runs is warm
        before = self._stored_bytes()
        nights = [self._night()]
        self._choose(Policies(Policy(keep_within=timedelta(), last=plan.keep)))
        self.at += DAY
        nights += [self._night() for _ in range(3)]  # expired; removed and condemned; deleted
        freed = before - self._stored_bytes()
        assert freed, "the last night deletes"
        cases = (
            ("sweeps, nothing known before", nights),
            ("sweeps, earlier nights have seen the snapshots", nights[1:]),
        )
        return [_told(plan, "hort", what, *_sums(each), before, freed) for what, each in cases]

    def _night(self) -> tuple[float, float]:
        """Seconds, and those of the CPU."""
        self.at += DAY
        wall, cpu = time.perf_counter(), time.process_time()
        sweep(self.services, SweepAccount(self.customer, self.account, self.at))
        return time.perf_counter() - wall, time.process_time() - cpu

    def _choose(self, policies: Policies) -> None:
        seen = retention.etag(retention.read(self.services, self.account))
        retention.change(self.services, ChangePolicy(self.account, policies, self.user, seen, self.account))

    def _stored_bytes(self) -> int:
        return sum(size for _, size in self.services.vault_blobs.all_in(packs_container(self.account)))


def measure(plan: Plan) -> list[Pruned]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Stack.start(Path(name) / "service") as stack:
        folder, chance = Path(name), random.Random(7)
        tools: list[Hort | Restic | Borg] = [Hort(folder, stack)]
        others = ((Restic, "restic"), (Borg, "borg")) if plan.others else ()
        tools += [kind(folder) for kind, command in others if shutil.which(command)]
        tree = _grow(folder / "tree", plan.files, chance)
        for n in range(plan.snapshots):
            for tool in tools:
                tool.back_up(tree)
            sys.stderr.write(f"\r{n + 1} of {plan.snapshots} snapshots")
            _edit(tree, chance)
        sys.stderr.write("\n")
        found = [pruned for tool in tools for pruned in tool.pruned(plan)]
        tools[0].back_up(tree)  # the vault is whole: what was deleted is not counted on
        return found


def _grow(tree: Path, files: int, chance: random.Random) -> Path:
    for n in range(files):
        folder = tree / str(n % 200)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.dat").write_bytes(chance.randbytes(chance.randint(100, MAX_FILE_BYTES)))
    return tree


def _edit(tree: Path, chance: random.Random) -> None:
    files = sorted(tree.rglob("*.dat"))
    for path in chance.sample(files, max(1, int(len(files) * CHANGED))):
        path.write_bytes(chance.randbytes(chance.randint(100, MAX_FILE_BYTES)))
    for path in chance.sample(files, max(1, int(len(files) * ADDED_AND_REMOVED))):
        path.with_suffix(f".{chance.randrange(1 << 30)}.dat").write_bytes(chance.randbytes(MAX_FILE_BYTES))
        path.unlink()


def _measured(plan: Plan, tool: str, what: str, repository: Path, steps: Sequence[Callable[[], None]]) -> Pruned:
    before = _size(repository)
    wall, cpu = time.perf_counter(), _children_cpu()
    for step in steps:
        step()
    wall, cpu = time.perf_counter() - wall, _children_cpu() - cpu
    return _told(plan, tool, what, wall, cpu, before, before - _size(repository))


def _told(plan: Plan, tool: str, what: str, wall: float, cpu: float, before: int, freed: int) -> Pruned:
    return Pruned(tool, what, plan.files, plan.snapshots, plan.keep, round(wall, 2), round(cpu, 3), before, freed)


def _sums(nights: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(wall for wall, _ in nights), sum(cpu for _, cpu in nights)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--snapshots", type=int, default=SNAPSHOTS)
    told = parser.parse_args()
    plan = replace(Plan(), files=told.files, snapshots=told.snapshots)
    sys.stdout.write(json.dumps([asdict(each) for each in measure(plan)], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
