"""What the command line takes to keep snapshots and let them go: `hort retention`, and marks on single snapshots."""

from datetime import datetime
from typing import Annotated

import typer

from agent.cli.options import AsJson, Login, PasswordFile
from agent.cli.perform import performing

Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="A snapshot's id, or the start of one.")]
Preset = Annotated[str | None, typer.Option(metavar="NAME", help="netik-14d, netgo-gfs-12m or netgo-gfs-5y.")]
Floor = Annotated[int | None, typer.Option(min=0, metavar="DAYS", help="Everything younger stays; 14 by default.")]
Places = Annotated[int | None, typer.Option(min=0, metavar="N", help="How many of these stay.")]
Zone = Annotated[str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin: when a day begins.")]
BackupSet = Annotated[str | None, typer.Option("--for-set", metavar="SET", help="Only for this backup set.")]

retention = typer.Typer(
    help="Say how long snapshots are kept, and ask why one is.", no_args_is_help=True, rich_markup_mode=None
)
marks = typer.Typer(rich_markup_mode=None)


@retention.command("show")
def show_retention(as_json: AsJson = False) -> None:
    """Show the account's policy, and the change that waits."""
    with performing(as_json=as_json) as say:
        from agent.cli.retaining import show

        say(show())


@retention.command("set")
def set_retention(
    login: Login,
    password_file: PasswordFile = None,
    preset: Preset = None,
    keep_within_days: Floor = None,
    last: Places = None,
    daily: Places = None,
    weekly: Places = None,
    monthly: Places = None,
    quarterly: Places = None,
    yearly: Places = None,
    time_zone: Zone = None,
    for_set: BackupSet = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="The account's id, if snapshots may be kept less long.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose another policy. What might keep snapshots less long wants `--confirm`, and waits for 24 hours."""
    with performing(as_json=as_json) as say:
        from agent.cli.retaining import Rules, change

        rules = Rules(keep_within_days, last, daily, weekly, monthly, quarterly, yearly, time_zone)
        say(change(login, password_file, preset, rules, for_set, confirm))


@retention.command("call-off")
def call_off_retention(login: Login, password_file: PasswordFile = None, as_json: AsJson = False) -> None:
    """Call off the change that waits."""
    with performing(as_json=as_json) as say:
        from agent.cli.retaining import call_off

        say(call_off(login, password_file))


@retention.command("simulate")
def simulate_retention(
    login: Login,
    password_file: PasswordFile = None,
    preset: Preset = None,
    keep_within_days: Floor = None,
    last: Places = None,
    daily: Places = None,
    weekly: Places = None,
    monthly: Places = None,
    quarterly: Places = None,
    yearly: Places = None,
    time_zone: Zone = None,
    for_set: BackupSet = None,
    at: Annotated[datetime | None, typer.Option(metavar="TIME", help="A later time, in UTC.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which snapshots a policy would keep, and why; nothing is done. Without rules: the policy in force."""
    with performing(as_json=as_json) as say:
        from agent.cli.retaining import Rules, simulate

        rules = Rules(keep_within_days, last, daily, weekly, monthly, quarterly, yearly, time_zone)
        say(simulate(login, password_file, preset, rules, for_set, at))


@retention.command("explain")
def explain_snapshot(snapshot: Snapshot, as_json: AsJson = False) -> None:
    """Say why a snapshot stays, or what lets it go."""
    with performing(as_json=as_json) as say:
        from agent.cli.retaining import explain

        say(explain(snapshot))


@marks.command()
def pin(snapshot: Snapshot, login: Login, password_file: PasswordFile = None, as_json: AsJson = False) -> None:
    """Keep a snapshot until it is unpinned."""
    with performing(as_json=as_json) as say:
        from agent.cli.marking import Mark, put

        say(put(Mark.PIN, snapshot, login, password_file))


@marks.command()
def unpin(snapshot: Snapshot, login: Login, password_file: PasswordFile = None, as_json: AsJson = False) -> None:
    """From here on the policy alone decides over a snapshot."""
    with performing(as_json=as_json) as say:
        from agent.cli.marking import Mark, put

        say(put(Mark.UNPIN, snapshot, login, password_file))


@marks.command("take-back")
def take_back(snapshot: Snapshot, login: Login, password_file: PasswordFile = None, as_json: AsJson = False) -> None:
    """Take an expired snapshot back, while there is time, and pin it."""
    with performing(as_json=as_json) as say:
        from agent.cli.marking import Mark, put

        say(put(Mark.TAKE_BACK, snapshot, login, password_file))


@marks.command()
def hold(
    snapshot: Snapshot,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Such as a file number; all can read it.")],
    login: Login,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep a snapshot for a reason, whatever the policy says, until the hold is released."""
    with performing(as_json=as_json) as say:
        from agent.cli.marking import hold

        say(hold(snapshot, reason, login, password_file))


@marks.command()
def release(
    snapshot: Snapshot,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="The hold's id, or the start of one.")],
    login: Login,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Release a hold of a snapshot."""
    with performing(as_json=as_json) as say:
        from agent.cli.marking import release

        say(release(snapshot, hold, login, password_file))
