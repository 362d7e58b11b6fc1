"""`python -m agent`, and the console script `hort`."""

import signal
from types import FrameType

from agent import ending
from agent.cli.app import app


def main() -> None:
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
