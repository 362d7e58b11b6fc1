"""`hort restore`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.cli.backing_up import entries, told
from agent.cli.exits import Exit
from agent.cli.home import find_home
from agent.cli.output import Outcome, count, printable, size
from agent.cli.progress import shown
from agent.cli.vaults import choose_snapshot, opened
from agent.engine import restore as engine
from agent.engine.orders import RestoreOrder, RestoreReport
from agent.engine.preview import Preview, preview
from agent.meter import Meter
from agent.overwrite import Overwrite
from shared.domain.ids import SessionId


@dataclass(frozen=True, slots=True)
class RestoreWish:
    """What the user said on the command line."""

    snapshot: str
    paths: tuple[str, ...]
    target: Path | None
    """None restores in place."""
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    overwrite: Overwrite
    verify: bool
    threads: int


def restore(wish: RestoreWish, vault_url: str | None, *, silent: bool) -> Outcome[RestoreReport]:
    home, meter = find_home(), Meter()
    with opened(home, vault_url, meter) as here, shown(meter, "Restoring", "read", silent=silent):
        order = _order(wish, choose_snapshot(here.vault, wish.snapshot))
        report = engine.restore(order, here.vault.restore_reader(order.session), here.keys, meter)
    return Outcome(report, _lines, Exit.OK if report.complete else Exit.INCOMPLETE)


def dry_run(wish: RestoreWish, vault_url: str | None) -> Outcome[Preview]:
    with opened(find_home(), vault_url, Meter()) as here:
        order = _order(wish, choose_snapshot(here.vault, wish.snapshot))
        found = preview(order, here.vault.restore_reader(order.session), here.keys)
    return Outcome(found, _preview_lines, Exit.INCOMPLETE if found.keep or found.troubles else Exit.OK)


def _order(wish: RestoreWish, session: SessionId) -> RestoreOrder:
    return RestoreOrder(
        session=session,
        target=Path("/") if wish.target is None else wish.target.absolute(),
        paths=tuple(os.fsencode(path) for path in wish.paths),
        include=wish.include,
        exclude=wish.exclude,
        overwrite=wish.overwrite,
        verify=wish.verify,
        threads=wish.threads,
    )


def _preview_lines(found: Preview) -> Iterator[str]:
    for change in found.changes:
        yield f"{change.act:9}  {size(change.size_bytes):>10}  {printable(change.path)}  ({change.reason})"
    yield from told("trouble", tuple(found.troubles), len(found.troubles))
    yield f"Would create {found.create:,} and replace {found.replace:,}, {size(found.logical_bytes)} in all"
    yield f"{found.unchanged:,} unchanged, {found.keep:,} kept as they are. Nothing was done."


def _lines(report: RestoreReport) -> Iterator[str]:
    yield from told("skipped", report.skipped, len(report.skipped))
    yield from told("damaged", report.damaged, len(report.damaged))
    yield from told("NOT as in the snapshot", report.differing, len(report.differing))
    speed = report.logical_bytes / report.seconds if report.seconds else 0.0
    yield f"{entries(report.files, report.directories)}, {size(report.logical_bytes)}; {report.unchanged:,} unchanged"
    if report.verified is not None:
        yield f"{report.verified:,} read back and found to be as in the snapshot"
    read = f"{size(report.read_bytes)} read from {count(report.packs, 'pack')}"
    yield f"{read} in {report.seconds:.1f} s, {size(speed)}/s"
