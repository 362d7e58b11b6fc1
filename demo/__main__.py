"""`make demo`: backs up real files, loses the device, restores on a new one, and compares every byte."""

import argparse
import secrets
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.cli.output import printable
from agent.credentials import Password
from agent.patience import Patience
from agent.service import Service
from agent.transport import Transport
from demo.compare import compare
from demo.device import AgentError, Device
from demo.edits import add_oddities, edit
from demo.stack import OPERATOR, REPOSITORY, Stack, StackError
from localhost.azurite import AzuriteError
from operator_cli.provider import Provider
from shared.api.backups import Snapshot
from shared.api.identity import CreateUser
from shared.domain.ids import AccountId
from shared.domain.tenancy import Role

STATES = REPOSITORY / ".state"
LOGIN = "anna@example.com"
SHOWN_DIFFERENCES = 20

console = Console(width=max(100, Console().width))


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the agent says of itself."""

    files: int
    logical_bytes: int
    packs: int
    seconds: float
    sent_bytes: int = 0
    read_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Anna:
    """The customer's first user, as the operator hands her over."""

    account: AccountId
    password: str


def main(arguments: Sequence[str]) -> int:
    original = Path(_parser().parse_args(arguments).dir).expanduser()
    if not original.is_dir():
        _say(f"there is no folder {escape(str(original))}")
        return 2
    STATES.mkdir(exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="demo-", dir=STATES))
    try:
        differences = _run(original, state)
    except KeyboardInterrupt:
        shutil.rmtree(state)
        _say("interrupted; everything is stopped and removed")
        return 130
    except (AgentError, StackError, AzuriteError) as fault:
        console.print(f"[red]{escape(str(fault))}[/red]", soft_wrap=True)
        differences = 1
    if differences:
        _say(f"everything is left in {state}")
        return 1
    shutil.rmtree(state)
    return 0


def _run(original: Path, state: Path) -> int:
    """The story with the service around it; the number of differences."""
    started = time.monotonic()
    with Stack.start(state / "service") as stack:
        _say(f"the service is up at {stack.url}")
        differences = _story(stack, original, state)
    _say(f"the service is stopped; {time.monotonic() - started:.1f} s in all")
    return differences


def _story(stack: Stack, original: Path, state: Path) -> int:
    """The number of differences between what was lost and what came back."""
    source, kit, first, own = (state / name for name in ("source", "recovery-kit.txt", "first-password", "password"))
    anna = _become_customer(stack)
    first.write_text(anna.password)
    own.write_text(secrets.token_urlsafe(18))
    at_the_service = ("--service", stack.url, "--login", LOGIN)

    _copy(original, source)
    first_device = Device(state / "first-device")
    passwords = ("--password-file", str(first), "--new-password-file", str(own))
    first_device.hort("register", *at_the_service, *passwords, "--name", "Anna's laptop", "--kit", str(kit))
    _say("Anna has chosen a password; the first device is registered; the recovery kit is written")

    first_device.hort("recovery-kit", "test", "--kit", str(kit))
    _say("the kit opens the account's key: the first device is protected")

    first = first_device.ask(Run, "backup", str(source))
    _say(f"first backup: {first.files:,} files in {first.seconds:.1f} s")
    edited = edit(source)
    _say(f"edited {edited.changed} files, added {edited.added}, removed {edited.removed}, moved {edited.moved}")
    second = first_device.ask(Run, "backup", str(source))
    _say(f"second backup: {second.sent_bytes / 1e6:.2f} MB sent in {second.seconds:.1f} s")
    service = Service(stack.url, Password(LOGIN, own.read_text()), Transport(Patience()))
    snapshots = list(service.snapshots(anna.account))

    shutil.rmtree(first_device.home)
    _say("the device is lost, with its keys and its cache; the kit is left")
    second_device = Device(state / "second-device")
    signing_in = (*at_the_service, "--password-file", str(own))
    second_device.hort("recover", *signing_in, "--name", "Anna's new laptop", "--kit", str(kit))
    target = state / "restored"
    restored = second_device.ask(Run, "restore", "latest", "--target", str(target))
    _say(f"restored on a new device in {restored.seconds:.1f} s")

    differences = compare(source, target / source.absolute().relative_to("/"))
    console.print(_table(first, second, restored, snapshots))
    for difference in differences[:SHOWN_DIFFERENCES]:
        console.print(f"[red]different[/red] {escape(printable(str(difference)))}", soft_wrap=True)
    verdict = f"[red]{len(differences)} differences[/red]" if differences else "[green]no difference[/green]"
    _say(f"compared {restored.files:,} files byte by byte, with modes, times, owners and links: {verdict}")
    return len(differences)


def _become_customer(stack: Stack) -> Anna:
    """Sets up customer, account and user, as an operator does."""
    provider = Provider(stack.url, OPERATOR, stack.operator_password())
    customer = provider.create_customer("Example GmbH")
    account = provider.create_account(customer.id, "Laptops")
    user = provider.create_user(customer.id, CreateUser(name="Anna Berg", login=LOGIN, role=Role.ADMIN))
    return Anna(account.id, user.password)


def _copy(original: Path, source: Path) -> None:
    """The demo edits files, so it works on a copy; what cannot be copied, such as a socket, is not played with."""
    left_out = 0
    try:
        shutil.copytree(original, source, symlinks=True)
    except shutil.Error as error:  # raised at the end, when everything else is copied
        left_out = len(error.args[0])
    add_oddities(source)
    _say(f"copied {escape(str(original))} to play with")
    if left_out:
        _say(f"left out what cannot be copied: {left_out:,}")


def _table(first: Run, second: Run, restored: Run, snapshots: Sequence[Snapshot]) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1), pad_edge=False, caption="ratio: MB of files to MB stored for them")
    for heading in ("", "files", "MB", "MB sent", "MB stored", "packs", "seconds", "MB/s", "ratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, run, stored in (("first backup", first, snapshots[0]), ("1 % edited", second, snapshots[1])):
        table.add_row(name, *_figures(run, run.sent_bytes), _mb(stored.stored_bytes), *_pace(run, stored))
    table.add_row("restore", *_figures(restored, None), "", *_pace(restored, None))
    return table


def _figures(run: Run, sent_bytes: int | None) -> tuple[str, ...]:
    return f"{run.files:,}", _mb(run.logical_bytes), "" if sent_bytes is None else _mb(sent_bytes)


def _pace(run: Run, stored: Snapshot | None) -> tuple[str, ...]:
    packs = stored.packs if stored else run.packs
    ratio = f"{run.logical_bytes / stored.stored_bytes:.2f}" if stored and stored.stored_bytes else ""
    return f"{packs:,}", f"{run.seconds:.2f}", f"{run.logical_bytes / 1e6 / run.seconds:.0f}", ratio


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.2f}"


def _say(line: str) -> None:
    console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {line}", highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--dir", default=sysconfig.get_path("stdlib"), help="the folder to back up (a copy is made)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
