"""`hort daemon`."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tzlocal import get_localzone

from agent import ending
from agent.cli.backing_up import back_up
from agent.cli.home import find_home
from agent.cli.output import Outcome, printable
from agent.cli.planning import ended, seed_of, wish_of
from agent.config import Environment, Home
from agent.daemon import Daemon, World
from agent.engine.orders import utc_now
from agent.plans.plan import Plan
from agent.power import on_battery
from agent.shelf import Shelf

_GENTLE = 10
"""Added to the nice value: whoever works at the machine goes first."""


@dataclass(frozen=True, slots=True)
class Served:
    runs: int


@dataclass(frozen=True, slots=True)
class UnitText:
    text: str


def serve(*, once: bool) -> Outcome[Served]:
    """Raises `Ending` when the process is asked to end. With `once` it ends when nothing is due any more."""
    home = find_home()
    home.registration()
    daemon = Daemon(Shelf(home), _world(home))
    if once:
        return Outcome(Served(daemon.turn()), lambda served: [f"{served.runs} run"])
    os.nice(_GENTLE)
    daemon.serve()
    return Outcome(Served(0), lambda _: [])


def unit(kind: str) -> Outcome[UnitText]:
    """A systemd unit, or what WinSW wants to know to run it as a Windows service."""
    command, home = _command(), Environment.read().home
    lines = _systemd(command, home) if kind == "systemd" else _windows(command, home)
    return Outcome(UnitText("\n".join(lines)), lambda made: [made.text])


def _world(home: Home) -> World:
    return World(
        run=_run,
        seed=lambda name: seed_of(home, name),
        now=utc_now,
        zone=get_localzone(),
        wait=ending.wait,
        on_battery=on_battery,
        say=_say,
    )


def _run(name: str, plan: Plan) -> str:
    return ended(back_up(wish_of(name, plan), plan.vault or None, silent=True).document)


def _say(line: str) -> None:
    print(f"{utc_now():%Y-%m-%dT%H:%M:%SZ} {printable(line)}", file=sys.stderr, flush=True)


def _command() -> list[str]:
    """How this program is called by a full path."""
    installed = shutil.which("hort")
    return [installed, "daemon"] if installed else [sys.executable, "-m", "agent", "daemon"]


def _systemd(command: list[str], home: os.PathLike[str] | None) -> Iterator[str]:
    yield "# /etc/systemd/system/hort.service; then: systemctl enable --now hort"
    yield "[Unit]"
    yield "Description=Hort backup"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    yield ""
    yield "[Service]"
    yield f"ExecStart={shlex.join(command)}"
    if home is not None:
        yield f"Environment={shlex.quote(f'HORT_HOME={os.fspath(home)}')}"
    yield "Restart=on-failure"
    yield "RestartSec=60"
    yield "# 130: it was asked to end, and did so in order."
    yield "SuccessExitStatus=130"
    yield "Nice=10"
    yield "CPUSchedulingPolicy=batch"
    yield "IOSchedulingClass=idle"
    yield "NoNewPrivileges=yes"
    yield ""
    yield "[Install]"
    yield "WantedBy=multi-user.target"


def _windows(command: list[str], home: os.PathLike[str] | None) -> Iterator[str]:
    program, *arguments = command
    yield "<service>"
    yield "  <id>hort</id>"
    yield "  <name>Hort backup</name>"
    yield "  <description>Runs the backup plans of this device.</description>"
    yield f"  <executable>{escape(program)}</executable>"
    yield f"  <arguments>{escape(' '.join(arguments))}</arguments>"
    if home is not None:
        yield f'  <env name="HORT_HOME" value="{escape(os.fspath(home))}"/>'
    yield "  <startmode>Automatic</startmode>"
    yield "  <delayedAutoStart>true</delayedAutoStart>"
    yield "  <priority>BelowNormal</priority>"
    yield '  <onfailure action="restart" delay="60 sec"/>'
    yield "  <stoptimeout>60 sec</stoptimeout>"
    yield "</service>"
