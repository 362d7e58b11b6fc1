"""`hort restore`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.cli.backing_up import entries, told
from agent.cli.exits import Exit
from agent.cli.home import find_home
from agent.cli.output import Outcome, count, size
from agent.cli.progress import shown
from agent.cli.vaults import choose_snapshot, opened
from agent.engine import restore as engine
from agent.engine.orders import RestoreOrder, RestoreReport
from agent.meter import Meter


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """What the user said on the command line."""

    snapshot: str
    paths: tuple[str, ...]
    target: Path | None
    """None restores in place."""
    overwrite: bool
    threads: int


def restore(wish: RestoreWish, vault_url: str | None, *, silent: bool) -> Outcome[RestoreReport]:
    home, meter = find_home(), Meter()
    with opened(home, vault_url, meter) as here, shown(meter, "Restoring", "read", silent=silent):
        session = choose_snapshot(here.vault, wish.snapshot)
        order = RestoreOrder(
            session=session,
            target=Path("/") if wish.target is None else wish.target.absolute(),
            paths=tuple(os.fsencode(path) for path in wish.paths),
            overwrite=wish.overwrite,
            threads=wish.threads,
        )
        report = engine.restore(order, here.vault.restore_reader(session), here.keys, meter)
    return Outcome(report, _lines, Exit.OK if report.complete else Exit.INCOMPLETE)


def _lines(report: RestoreReport) -> Iterator[str]:
    yield from told("skipped", report.skipped, len(report.skipped))
    yield from told("damaged", report.damaged, len(report.damaged))
    speed = report.logical_bytes / report.seconds if report.seconds else 0.0
    yield f"{entries(report.files, report.directories)}, {size(report.logical_bytes)}"
    read = f"{size(report.read_bytes)} read from {count(report.packs, 'pack')}"
    yield f"{read} in {report.seconds:.1f} s, {size(speed)}/s"
