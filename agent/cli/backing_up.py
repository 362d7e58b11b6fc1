"""`hort backup`."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.cli.exits import Exit
from agent.cli.home import find_home, host_name
from agent.cli.output import Outcome, count, printable, size
from agent.cli.progress import shown
from agent.cli.renewing import renew_in_time
from agent.cli.vaults import Opened, opened
from agent.config import Home
from agent.engine.backup import backup
from agent.engine.orders import BackupOrder, BackupReport, Trouble
from agent.lock import only_run
from agent.meter import Meter
from agent.plans.bandwidth import Limits

NO_LIMITS = Limits()
TOLD_TROUBLES = 20
"""How many troubles people are shown; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class BackupWish:
    """What the user said on the command line."""

    paths: tuple[Path, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    one_file_system: bool
    reread: bool
    threads: int
    ignore: tuple[str, ...] = ()
    anew: bool = False
    backup_set: str = ""
    limits: Limits = NO_LIMITS


def back_up(wish: BackupWish, vault_url: str | None, *, silent: bool) -> Outcome[BackupReport]:
    home, meter = find_home(), Meter()
    with only_run(home.lock), prepared(home, vault_url, meter, wish.limits) as here:
        order = BackupOrder(
            paths=tuple(path.absolute() for path in wish.paths),
            cache_dir=here.cache_dir,
            host=host_name(),
            include=wish.include,
            exclude=wish.exclude,
            one_file_system=wish.one_file_system,
            reread=wish.reread,
            ignore=wish.ignore,
            anew=wish.anew,
            backup_set=wish.backup_set,
            threads=wish.threads,
        )
        with shown(meter, "Backing up", "sent", silent=silent):
            report = backup(order, here.vault, here.keys, meter)
    whole = not report.skipped_count and not report.changing
    return Outcome(report, _lines, Exit.OK if whole else Exit.INCOMPLETE)


@contextmanager
def prepared(home: Home, vault_url: str | None, meter: Meter, limits: Limits) -> Generator[Opened]:
    if vault_url is None:
        renew_in_time(home)
    with opened(home, vault_url, meter, limits) as here:
        yield here


def told(what: str, troubles: tuple[Trouble, ...], number: int) -> Iterator[str]:
    """The first of the troubles, for people."""
    for trouble in troubles[:TOLD_TROUBLES]:
        yield f"{what}: {printable(trouble.path)}: {printable(trouble.reason)}"
    if number > TOLD_TROUBLES:
        yield f"{what}: and {number - TOLD_TROUBLES:,} more (--json names more)"


def entries(files: int, directories: int) -> str:
    return f"{count(files, 'file')} and {count(directories, 'folder')}"


def _lines(report: BackupReport) -> Iterator[str]:
    yield from told("skipped", report.skipped, report.skipped_count)
    yield from told("changed while it was read", report.changing, len(report.changing))
    if report.resumed:
        yield "Went on with the session that an earlier run left open."
    speed = report.logical_bytes / report.seconds if report.seconds else 0.0
    yield f"Snapshot {report.session}, {report.committed_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"{entries(report.files, report.directories)}, {size(report.logical_bytes)}"
    yield f"{report.unchanged:,} unchanged"
    yield f"{size(report.new_bytes)} new, {size(report.sent_bytes)} sent in {count(report.packs, 'pack')}"
    yield f"{report.seconds:.1f} s, {size(speed)}/s"
