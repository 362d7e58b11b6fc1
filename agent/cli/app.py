"""What the command line takes. Every command's work loads when it is called, so that `hort --help` starts fast."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from agent.cli import account_commands
from agent.cli.options import Account, AsJson, Limit, Login, PassphraseFile, PasswordFile, RecoveryKey, Vault
from agent.cli.perform import performing
from agent.cli.plan_app import plan, running
from agent.cli.recovery_app import recovery_kit
from agent.cli.retention_app import marks, retention
from agent.overwrite import Overwrite

app = typer.Typer(
    name="hort",
    help="Zero-knowledge backup: your device encrypts, the service keeps what it cannot read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(recovery_kit, name="recovery-kit")
app.add_typer(plan, name="plan")
app.add_typer(running)
app.add_typer(retention, name="retention")
app.add_typer(marks)
app.add_typer(account_commands.devices, name="devices")
app.add_typer(account_commands.codes, name="codes")
app.add_typer(account_commands.account, name="account")
app.add_typer(account_commands.passphrase, name="passphrase")


ServiceUrl = Annotated[str, typer.Option("--service", metavar="URL", help="Such as https://backup.example.com.")]
NewPasswordFile = Annotated[
    Path | None,
    typer.Option("--new-password-file", metavar="FILE", help="What a first password becomes; else asked."),
]
DeviceName = Annotated[
    str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device; by default its host name.")
]
Kit = Annotated[Path | None, typer.Option("--kit", metavar="FILE", help="The recovery kit, to write or to read.")]
Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="An enrolment code of your administrator's, for no login.")
]
ByPassphrase = Annotated[
    bool, typer.Option("--passphrase", help="Open the account with its passphrase, not the kit; it is asked for.")
]
Globs = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="May be given again; excludes win.")]
Threads = Annotated[int, typer.Option("--threads", metavar="N", min=1, max=64, help="How many workers.")]
_WHICH = "`latest`, a time such as `yesterday 14:00` or `3 days ago`, an id or its start; `home@latest` for a plan's."
Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", help=_WHICH)]


@app.command()
def register(
    service: ServiceUrl,
    login: Annotated[str | None, typer.Option("--login", metavar="NAME", help="Your user name.")] = None,
    password_file: PasswordFile = None,
    new_password_file: NewPasswordFile = None,
    account: Account = None,
    name: DeviceName = None,
    kit: Kit = None,
    recovery_key: RecoveryKey = None,
    code: Code = None,
    passphrase: ByPassphrase = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Join an account with this device. The account's first device makes its key and writes the recovery kit."""
    with performing(as_json=as_json) as say:
        from agent.cli.joining import Joining, register

        who = (service, login, password_file, new_password_file, account, name)
        say(register(Joining(*who, kit, recovery_key, code, passphrase, passphrase_file)))


@app.command()
def recover(
    service: Annotated[str | None, typer.Option("--service", metavar="URL", help="By default the kit says it.")] = None,
    login: Annotated[str | None, typer.Option("--login", metavar="NAME", help="Your user name.")] = None,
    password_file: PasswordFile = None,
    new_password_file: NewPasswordFile = None,
    account: Account = None,
    name: DeviceName = None,
    kit: Kit = None,
    recovery_key: RecoveryKey = None,
    code: Code = None,
    passphrase: ByPassphrase = False,
    passphrase_file: PassphraseFile = None,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Open an account on a new device with its recovery kit or passphrase."""
    with performing(as_json=as_json) as say:
        from agent.cli.joining import Joining, recover, recover_folder

        if vault is not None:
            say(recover_folder(vault, kit, recovery_key, name))
        else:
            who = (service, login, password_file, new_password_file, account, name)
            say(recover(Joining(*who, kit, recovery_key, code, passphrase, passphrase_file)))


@app.command()
def password(
    service: ServiceUrl,
    login: Login,
    password_file: PasswordFile = None,
    new_password_file: NewPasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Choose another password; all sessions end, devices go on."""
    with performing(as_json=as_json) as say:
        from agent.cli.passwords import change

        say(change(service, login, password_file, new_password_file))


@app.command()
def init(
    vault: Annotated[str, typer.Option("--vault", metavar="URL", help="The new vault's folder, file:///path.")],
    name: DeviceName = None,
    kit: Kit = None,
    as_json: AsJson = False,
) -> None:
    """Make a vault in a folder, for this device's account, or with a key of its own if there is none."""
    with performing(as_json=as_json) as say:
        from agent.cli.joining import init

        say(init(vault, name, kit))


@app.command()
def backup(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="Files and folders to back up.")] = None,
    plan: Annotated[str | None, typer.Option(metavar="NAME", help="Run this plan now, instead of paths.")] = None,
    include: Globs = None,
    exclude: Globs = None,
    one_file_system: Annotated[bool, typer.Option("--one-file-system", help="Stay out of other file systems.")] = False,
    reread: Annotated[bool, typer.Option("--reread", help="Read every file, even those that seem unchanged.")] = False,
    active_full: Annotated[bool, typer.Option("--active-full", help="Read and store everything anew.")] = False,
    limit: Limit = None,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Back up files. A run that was cut off goes on where it stopped."""
    if bool(paths) == bool(plan):
        raise typer.BadParameter("give either PATH... or --plan NAME")

    with performing(as_json=as_json) as say:
        from agent.cli.backing_up import BackupWish, back_up
        from agent.cli.planning import run_plan
        from agent.plans.bandwidth import Limits

        if plan is not None:
            say(run_plan(plan, silent=as_json))
        else:
            globs = tuple(include or ()), tuple(exclude or ())
            wish = BackupWish(
                tuple(paths or ()),
                *globs,
                one_file_system,
                reread,
                threads,
                anew=active_full,
                limits=Limits.parse(limit or ()),
            )
            say(back_up(wish, vault, silent=as_json))


@app.command()
def snapshots(vault: Vault = None, as_json: AsJson = False) -> None:
    """List the account's snapshots, oldest first."""
    with performing(as_json=as_json) as say:
        from agent.cli.browsing import list_snapshots

        say(list_snapshots(vault))


@app.command()
def ls(
    snapshot: Snapshot,
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Only what lies below it.")] = "",
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """List what is in a snapshot."""
    with performing(as_json=as_json) as say:
        from agent.cli.browsing import listing

        with listing(snapshot, path, vault) as outcome:
            say(outcome)


@app.command()
def find(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name or a glob; with a slash, a whole path.")],
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Find a name in all snapshots."""
    with performing(as_json=as_json) as say:
        from agent.cli.searching import search

        say(search(name, vault))


@app.command()
def diff(
    before: Snapshot,
    after: Snapshot,
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Only what lies below it.")] = "",
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed from one snapshot to another."""
    with performing(as_json=as_json) as say:
        from agent.cli.searching import comparing

        with comparing(before, after, path, vault) as outcome:
            say(outcome)


@app.command()
def mount(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder.")],
    vault: Vault = None,
) -> None:
    """Show all snapshots as folders below DIR, read only, until it is unmounted or Ctrl-C."""
    with performing(as_json=False) as say:
        from agent.cli.mounting import mount

        say(mount(folder, vault))


@app.command()
def restore(
    snapshot: Snapshot,
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Only these.")] = None,
    target: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder to restore into.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Restore to where the files came from.")] = False,
    include: Globs = None,
    exclude: Globs = None,
    overwrite: Annotated[Overwrite, typer.Option(help="Which files that exist to replace.")] = Overwrite.NEVER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read back what was restored, and compare it.")] = False,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Restore a snapshot, or some of its paths."""
    if (target is None) != in_place:
        raise typer.BadParameter("give either --target DIR or --in-place")

    with performing(as_json=as_json) as say:
        from agent.cli import restoring

        globs = tuple(include or ()), tuple(exclude or ())
        wish = restoring.RestoreWish(snapshot, tuple(paths or ()), target, *globs, overwrite, verify, threads)
        if dry_run:
            say(restoring.dry_run(wish, vault))
        else:
            say(restoring.restore(wish, vault, silent=as_json))


class _WithShare(TyperCommand):
    """Typer has no option that may come with a value or without."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        shares = {
            arg: ["--read-data", arg.replace("data", "share", 1)] for arg in args if arg.startswith("--read-data=")
        }
        return super().parse_args(ctx, [part for arg in args for part in shares.get(arg, [arg])])


@app.command(cls=_WithShare)
def check(
    snapshot: Annotated[str | None, typer.Argument(metavar="[SNAPSHOT]", help="Only this one; by default all.")] = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read and open every pack; =5%: so many, by chance.")
    ] = False,
    read_share: Annotated[str, typer.Option("--read-share", hidden=True)] = "100%",
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Check that every snapshot can be restored."""
    with performing(as_json=as_json) as say:
        from agent.cli.checking import check

        share = read_share if read_data else None
        say(check(snapshot, vault, read_data=share, threads=threads, silent=as_json))


@app.command()
def drill(
    snapshot: Annotated[str, typer.Argument(metavar="[SNAPSHOT]", help=_WHICH)] = "latest",
    files: Annotated[int, typer.Option(metavar="N", min=1, help="How many files, chosen by chance.")] = 100,
    most_mib: Annotated[int, typer.Option("--most-mib", metavar="N", min=1, help="No more than so much.")] = 1024,
    folder: Annotated[Path | None, typer.Option(metavar="DIR", help="Where there is room for them.")] = None,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Restore some files to try it, compare them, measure the time, and delete them again."""
    with performing(as_json=as_json) as say:
        from agent.cli.drilling import DrillWish, run_drill

        wish = DrillWish(snapshot, files, most_mib << 20, folder, threads)
        say(run_drill(wish, vault, silent=as_json))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say who this device is, whether the service answers, and how the backups stand."""
    with performing(as_json=as_json) as say:
        from agent.cli.standing import status

        say(status())


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    with performing(as_json=as_json) as say:
        from agent.cli.version import version

        say(version())
