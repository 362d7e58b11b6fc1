"""`hort drill`."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.cli.backing_up import told
from agent.cli.device import Device
from agent.cli.exits import Exit
from agent.cli.home import find_home
from agent.cli.output import Outcome, count, size
from agent.cli.progress import shown
from agent.cli.vaults import choose_snapshot, opened
from agent.config import Home
from agent.engine.drill import DrillOrder, DrillReport, drill
from agent.meter import Meter


@dataclass(frozen=True, slots=True)
class DrillWish:
    snapshot: str
    files: int
    most_bytes: int
    folder: Path | None
    """Where there is room for the files; by default the system's folder for such things."""
    threads: int


@dataclass(frozen=True, slots=True)
class Drilled:
    report: DrillReport
    reported: bool
    """Whether the service has it as evidence."""


def run_drill(wish: DrillWish, vault_url: str | None, *, silent: bool) -> Outcome[Drilled]:
    """What was restored is deleted in any case. With a service the report goes there."""
    home, meter = find_home(), Meter()
    with (
        opened(home, vault_url, meter) as here,
        tempfile.TemporaryDirectory(prefix="hort-drill-", dir=wish.folder) as folder,
        shown(meter, "Drilling", "read", silent=silent),
    ):
        session = choose_snapshot(here.vault, wish.snapshot)
        order = DrillOrder(session, Path(folder), wish.files, wish.most_bytes, random.SystemRandom(), wish.threads)
        report = drill(order, here.vault.restore_reader(session), here.keys, meter)
    reported = vault_url is None and _tell(home, report)
    return Outcome(Drilled(report, reported), _lines, Exit.OK if report.passed else Exit.DAMAGED)


def _tell(home: Home, report: DrillReport) -> bool:
    from agent.cli.remote import service_of  # half of the start-up time, and no folder needs it
    from agent.patience import Patience
    from agent.transport import Transport
    from shared.api.drills import ReportDrill

    device, transport = Device.load(home), Transport(Patience())
    body = ReportDrill(
        snapshot=report.session,
        passed=report.passed,
        files=report.files,
        logical_bytes=report.logical_bytes,
        read_bytes=report.read_bytes,
        seconds=report.seconds,
        troubles=len(report.troubles),
    )
    try:
        service_of(device, transport).report_drill(device.registration.account, body)
    finally:
        transport.close()
    return True


def _lines(done: Drilled) -> Iterator[str]:
    report = done.report
    yield from told("trouble", report.troubles, len(report.troubles))
    speed = report.logical_bytes / report.seconds if report.seconds else 0.0
    yield f"Snapshot {report.session}: {count(report.files, 'file')} restored and found to be the same, byte for byte"
    yield f"{size(report.logical_bytes)} in {report.seconds:.1f} s, {size(speed)}/s; {size(report.read_bytes)} read"
    yield "The drill was passed." if report.passed else "The drill was NOT passed: see above."
    if done.reported:
        yield "The service keeps the result as evidence."
