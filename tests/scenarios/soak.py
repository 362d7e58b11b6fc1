"""Two devices back up in a loop while sweeps run, days pass, and agents and the service are killed.

`python -m tests.scenarios.soak --minutes 10` for long. Azurite alone is stopped gently: kill -9 makes it lose data.
The seed gives the same deeds in the same order, but not the same moments: those are the machine's.
"""

import argparse
import contextlib
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import urllib3
from pydantic import TypeAdapter

from demo.device import REPOSITORY, Device
from demo.stack import Stack
from shared.api.retention import Policy
from shared.domain.ids import SessionId
from shared.services import Services
from tests.scenarios.conftest import Customer, enrol
from tests.scenarios.nights import Nights, Person, administrator, operator
from tests.scenarios.stored import Stored

POLICY = Policy(keep_within_days=0, last=2)
FILES, POOL = 12, 40
QUIET_NIGHTS = 8
"""Enough for an expiry, its grace, a mark, its grace, and a Sunday."""

type Contents = dict[str, bytes]


@dataclass(frozen=True)
class Report:
    session: SessionId


@dataclass(slots=True)
class Diarist:
    """One device: edits its files and backs them up, again and again, and remembers what was in each snapshot."""

    device: Device
    tree: Path
    pool: Sequence[bytes]
    chance: random.Random
    stopping: threading.Event
    known: dict[SessionId, Contents] = field(default_factory=dict[SessionId, Contents])
    perhaps: list[Contents] = field(default_factory=list[Contents])
    """What runs may have committed whose end nobody heard of."""
    failed: Counter[str] = field(default_factory=Counter[str])
    """Runs, by what they said."""
    crashes: list[str] = field(default_factory=list[str])
    running: subprocess.Popen[str] | None = None

    def live(self) -> None:
        while not self.stopping.is_set():
            self._edit()
            self._back_up()

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()

    def _edit(self) -> None:
        for n in self.chance.sample(range(FILES), 4):
            file = self.tree / f"page-{n}"
            file.unlink(missing_ok=True)
            if self.chance.random() < 0.8:
                file.write_bytes(self.chance.choice(self.pool))

    def _back_up(self) -> None:
        contents = read(self.tree)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            self.device.command("backup", str(self.tree), "--json"),
            cwd=REPOSITORY,
            env=self.device.environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
        ) as self.running:
            told, fault = self.running.communicate()
        if self.running.returncode == 0:
            self.known[TypeAdapter(Report).validate_json(told).session] = contents
            return
        self.perhaps.append(contents)
        self.failed["killed" if self.running.returncode < 0 else _without_names(told + fault)] += 1
        if "Traceback" in fault:
            self.crashes.append(fault)


@dataclass(slots=True)
class Soak:
    stack: Stack
    customer: Customer
    diarists: tuple[Diarist, ...]
    chance: random.Random
    stopping: threading.Event
    operator: Person
    anna: Person
    done: Counter[str] = field(default_factory=Counter[str])
    """Deeds, by name."""

    @classmethod
    def begin(cls, folder: Path, stack: Stack, seed: int) -> Self:
        chance, stopping = random.Random(seed), threading.Event()
        customer = enrol(stack, folder)
        pool = [chance.randbytes(chance.randint(1, 60_000)) for _ in range(POOL)]
        diarists = tuple(
            Diarist(device, _folder(folder / f"pages-{name}"), pool, random.Random(chance.random()), stopping)
            for name, device in (("a", customer.registered("laptop")), ("b", customer.recovered("desktop")))
        )
        soak = cls(stack, customer, diarists, chance, stopping, operator(stack), administrator(customer))
        soak.anna.choose_policy(customer, POLICY)
        return soak

    def run(self, seconds: float) -> None:
        """The whole deck of deeds at least once, and again until the time is over."""
        until = time.monotonic() + seconds
        lives = [threading.Thread(target=diarist.live, daemon=True) for diarist in self.diarists]
        for life in lives:
            life.start()
        try:
            self._deal()
            while time.monotonic() < until:
                self._deal()
        finally:
            self.stopping.set()
            for life in lives:
                life.join()

    def faults(self, scratch: Path) -> list[str]:
        """What is not as it was promised: at once, and after some quiet nights."""
        self.diarists[0].device.hort("check")
        for _ in range(QUIET_NIGHTS):
            Nights(self.stack).pass_by()
        self.diarists[0].device.hort("check", "--read-data")
        crashes = [crash for diarist in self.diarists for crash in diarist.crashes]
        return [*crashes, *self._misrestored(scratch), *self._unneeded(), *self._losses()]

    def _deal(self) -> None:
        deck = [*[self._kill_agent] * 3, *[self._sweep] * 2, *[self._pass_time] * 4]
        deck += [self._kill_service, self._kill_service_in_a_sweep, self._kill_service_in_the_night, self._hold]
        self.chance.shuffle(deck)
        for deed in deck:
            time.sleep(self.chance.uniform(0.1, 0.9))
            deed()
            self.done[deed.__name__.strip("_")] += 1

    def _kill_agent(self) -> None:
        self.chance.choice(self.diarists).kill()

    def _sweep(self) -> None:
        self.operator.start_sweep(self.customer)

    def _pass_time(self) -> None:
        Nights(self.stack).pass_by(timedelta(hours=self.chance.choice([3, 8, 20, 26])))

    def _kill_service(self) -> None:
        self.stack.kill_host()
        self.stack.start_host()

    def _kill_service_in_a_sweep(self) -> None:
        self._sweep()
        time.sleep(self.chance.uniform(0, 0.3))
        self._kill_service()

    def _kill_service_in_the_night(self) -> None:
        night = threading.Thread(target=_unless_killed, args=(Nights(self.stack).pass_by,), daemon=True)
        night.start()
        time.sleep(self.chance.uniform(0, 0.6))
        self._kill_service()
        night.join()

    def _hold(self) -> None:
        there = [s for s in self.anna.snapshots(self.customer.account) if s.expired_at is None]
        if there:
            self.anna.hold(self.customer, self.chance.choice(there).id, "file 7 O 12/26")

    def _misrestored(self, scratch: Path) -> list[str]:
        known = {session: contents for diarist in self.diarists for session, contents in diarist.known.items()}
        perhaps = [contents for diarist in self.diarists for contents in diarist.perhaps]
        device, faults = self.diarists[0].device, list[str]()
        there = [s.id for s in self.anna.snapshots(self.customer.account) if s.expired_at is None]
        for snapshot in there:
            target = scratch / snapshot
            device.hort("restore", snapshot, "--target", str(target))
            (tree,) = target.rglob("pages-*")
            if read(tree) not in ([known[snapshot]] if snapshot in known else perhaps):
                faults.append(f"snapshot {snapshot} is not what was backed up")
        return faults if there else ["no snapshot was left to restore"]

    def _unneeded(self) -> list[str]:
        stored = Stored(self.stack, self.customer.account)
        needed = {pack.name for snapshot in stored.snapshots() for pack in stored.refs(snapshot).packs}
        return [f"pack {pack} is there for nothing" for pack in stored.packs() if pack not in needed]

    def _losses(self) -> list[str]:
        services = Services(self.stack.settings)
        looks = list(services.inspections.all(self.customer.account))
        faults = [fault for look in looks for fault in look.faults]
        faults += [incident.note for incident in services.incidents.all(self.customer.id)]
        return faults if looks else ["no reconcile ran"]

    def __str__(self) -> str:
        reports = self.anna.sweep_reports(self.customer)
        figures = {
            "deeds": dict(self.done),
            "backups": sum(len(diarist.known) for diarist in self.diarists),
            "runs that failed": dict(sum((diarist.failed for diarist in self.diarists), Counter[str]())),
            "sweeps": len(reports),
            "expired": sum(report.expired for report in reports),
            "resurrected packs": sum(report.resurrected_packs for report in reports),
            "deleted packs": sum(report.deleted_packs for report in reports),
        }
        return json.dumps(figures, indent=2)


def read(tree: Path) -> Contents:
    return {file.name: file.read_bytes() for file in sorted(tree.iterdir())}


@contextlib.contextmanager
def soaking(folder: Path, seed: int) -> Generator[Soak]:
    with Stack.start(folder / "service", virtual_clock=True) as stack:
        yield Soak.begin(folder, stack, seed)


def _without_names(said: str) -> str:
    """So that the same reason counts as the same."""
    return re.sub(r"[0-9a-z]{26}(/[0-9a-z]+)?", "...", said.strip())


def _unless_killed(ask: Callable[[], object]) -> None:
    """The service is being killed: it may not answer."""
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        ask()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    told = parser.parse_args()
    sys.stdout.write(f"seed {told.seed}\n")
    with tempfile.TemporaryDirectory(prefix="hort-soak-") as name, soaking(Path(name), told.seed) as soak:
        soak.run(told.minutes * 60)
        faults = soak.faults(_folder(Path(name) / "back"))
        sys.stdout.write(f"{soak}\n" + "".join(f"FAULT {fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
