"""`hort check`."""

from collections.abc import Iterator

from agent.cli.backing_up import told
from agent.cli.exits import Exit
from agent.cli.home import find_home
from agent.cli.output import Outcome, count, size
from agent.cli.progress import shown
from agent.cli.vaults import choose_snapshot, opened
from agent.engine import check as engine
from agent.engine.orders import CheckOrder, CheckReport
from agent.meter import Meter
from shared.domain.errors import Malformed


def check(
    snapshot: str | None, vault_url: str | None, *, read_data: str | None, threads: int, silent: bool
) -> Outcome[CheckReport]:
    home, meter = find_home(), Meter()
    with opened(home, vault_url, meter) as here, shown(meter, "Checking", "read", silent=silent):
        session = None if snapshot is None else choose_snapshot(here.vault, snapshot)
        share = 0.0 if read_data is None else _share(read_data)
        order = CheckOrder(session, read_data is not None, share, threads=threads)
        report = engine.check(order, here.vault, here.keys, meter)
    return Outcome(report, _lines, Exit.OK if report.sound else Exit.DAMAGED)


def _share(text: str) -> float:
    """Of `5%`. Raises `Malformed`."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not text.endswith("%") or not 0 < percent <= 100:
        raise Malformed("read-data", f"{text!r} is no share: write --read-data, or --read-data=5%")
    return percent / 100


def _lines(report: CheckReport) -> Iterator[str]:
    yield from told("damaged", report.damaged, len(report.damaged))
    yield f"{count(report.snapshots, 'snapshot')}, {count(report.entries, 'entry', 'entries')}"
    held = f"{count(report.packs, 'pack')}, {count(report.chunks, 'chunk')}"
    yield f"{held}, {size(report.read_bytes)} read in {report.seconds:.1f} s"
    yield "Sound: everything can be restored." if report.sound else "NOT sound: see above."
