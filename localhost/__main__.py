"""`python -m localhost APP_DIR`: runs a Functions app on this machine until SIGTERM or SIGINT."""

import argparse
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from localhost import logs
from localhost.azurite import Azurite, AzuriteError
from localhost.host import HostOptions, LocalHost, StateInUseError
from localhost.keys import BadKeysError, read_keys
from localhost.routes import BadRouteError
from localhost.schedule import BadScheduleError
from localhost.settings import BadSettingsError, set_default
from localhost.signals import StopSignal
from localhost.worker import AppLoadError

STORAGE_SETTING = "AzureWebJobsStorage"
UNUSABLE = (
    AppLoadError,
    AzuriteError,
    BadKeysError,
    BadRouteError,
    BadScheduleError,
    BadSettingsError,
    StateInUseError,
)


def main(arguments: Sequence[str]) -> int:
    """0 after a clean stop, 1 when the app cannot run (the reason on standard error)."""
    options = _parser().parse_args(arguments)
    logs.configure(as_json=options.log_json, level=options.log_level)
    stop = StopSignal()
    try:
        clean = _serve(options, stop)
    except (*UNUSABLE, OSError) as error:
        sys.stderr.write(f"localhost: {error}\n")
        return 1
    logging.shutdown()
    if not clean:
        os._exit(0)  # A thread that hangs in a function must not keep the process: its work is in the journal.
    return 0


def _serve(options: argparse.Namespace, stop: StopSignal) -> bool:
    with contextlib.ExitStack() as stack:
        state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="localhost-")))
        storage = stack.enter_context(Azurite.start(state)) if options.azurite else None
        if storage:
            set_default(STORAGE_SETTING, storage.connection_string)
        keys = read_keys(options.keys)
        settings = HostOptions(options.app_dir, state, options.port, options.virtual_clock, keys, options.grace)
        host = LocalHost(settings)
        host.start()
        try:
            _announce(options.ready_file, host.url, storage.connection_string if storage else None)
            stop.wait()
        finally:
            clean = host.stop()
        return clean


def _announce(ready_file: Path | None, url: str, connection_string: str | None) -> None:
    ready = {"url": url, "pid": os.getpid(), "connection_string": connection_string}
    if ready_file:
        ready_file.parent.mkdir(parents=True, exist_ok=True)
        draft = ready_file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(ready))
        draft.replace(ready_file)  # Rename last: who sees the file can read it whole.
    sys.stdout.write(f"ready: {url}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localhost", description=__doc__)
    parser.add_argument("app_dir", type=Path, help="the folder with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=0, help="the port to serve HTTP on (0: a free one)")
    parser.add_argument("--state", type=Path, help="where the state lies (default: a temporary folder)")
    parser.add_argument("--azurite", action="store_true", help=f"start Azurite and set {STORAGE_SETTING} to it")
    parser.add_argument("--virtual-clock", action="store_true", help="time can be moved through /admin/clock")
    parser.add_argument("--keys", type=Path, help="JSON file with master, default, system and functions keys")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds that running work gets to end on a stop")
    parser.add_argument("--log-json", action="store_true", help="one JSON object a line")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--ready-file", type=Path, help="written when HTTP is served")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
