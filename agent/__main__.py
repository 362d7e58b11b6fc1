"""`python -m agent`, and the console script `hort`."""

import io
import signal
import sys
from types import FrameType
from typing import cast

from agent import ending
from agent.cli.app import app


def main() -> None:
    # A file name that the terminal's encoding lacks must not end a run.
    cast("io.TextIOWrapper[io.BufferedWriter]", sys.stdout).reconfigure(errors="backslashreplace")
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _end_in_order)
    app(prog_name="hort")


def _end_in_order(signum: int, frame: FrameType | None) -> None:
    """The first Ctrl-C or SIGTERM ends the run in order, the second at once: a run may be killed at any point."""
    del frame
    signal.signal(signum, signal.SIG_DFL)
    ending.ask()
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
