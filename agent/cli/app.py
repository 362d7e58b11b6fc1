"""What the command line takes. Every command's work loads when it is called, so that `hort --help` starts fast."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.cli import account_commands
from agent.cli.options import Account, AsJson, Login, PassphraseFile, PasswordFile
from agent.cli.perform import performing
from agent.cli.retention_app import marks, retention

app = typer.Typer(
    name="hort",
    help="Zero-knowledge backup: your device encrypts, the service keeps what it cannot read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

recovery_kit = typer.Typer(
    help="Test the recovery kit, or make a new one.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(recovery_kit, name="recovery-kit")
app.add_typer(retention, name="retention")
app.add_typer(marks)
app.add_typer(account_commands.devices, name="devices")
app.add_typer(account_commands.codes, name="codes")
app.add_typer(account_commands.account, name="account")
app.add_typer(account_commands.passphrase, name="passphrase")


class Overwrite(StrEnum):
    NEVER = "never"
    ALWAYS = "always"


Vault = Annotated[
    str | None,
    typer.Option("--vault", metavar="URL", help="A vault in a folder, file:///path, not the service."),
]
ServiceUrl = Annotated[str, typer.Option("--service", metavar="URL", help="Such as https://backup.example.com.")]
NewPasswordFile = Annotated[
    Path | None,
    typer.Option("--new-password-file", metavar="FILE", help="What a first password becomes; else asked."),
]
DeviceName = Annotated[
    str | None, typer.Option("--name", metavar="DEVICE", help="What to call this device; by default its host name.")
]
Kit = Annotated[Path | None, typer.Option("--kit", metavar="FILE", help="The recovery kit, to write or to read.")]
RecoveryKey = Annotated[
    str | None, typer.Option("--recovery-key", metavar="KEY", help="The 13 groups of the kit, instead of its file.")
]
Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="An enrolment code of your administrator's, for no login.")
]
ByPassphrase = Annotated[
    bool, typer.Option("--passphrase", help="Open the account with its passphrase, not the kit; it is asked for.")
]
Globs = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="May be given again; excludes win.")]
Threads = Annotated[int, typer.Option("--threads", metavar="N", min=1, max=64, help="How many workers.")]
Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="A snapshot's id, the start of one, or `latest`.")]


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
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders to back up.")],
    include: Globs = None,
    exclude: Globs = None,
    one_file_system: Annotated[bool, typer.Option("--one-file-system", help="Stay out of other file systems.")] = False,
    reread: Annotated[bool, typer.Option("--reread", help="Read every file, even those that seem unchanged.")] = False,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Back up files. A run that was cut off goes on where it stopped."""
    with performing(as_json=as_json) as say:
        from agent.cli.backing_up import BackupWish, back_up

        wish = BackupWish(tuple(paths), tuple(include or ()), tuple(exclude or ()), one_file_system, reread, threads)
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
def restore(
    snapshot: Snapshot,
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Only these.")] = None,
    target: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder to restore into.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Restore to where the files came from.")] = False,
    overwrite: Annotated[Overwrite, typer.Option(help="What to do with files that exist.")] = Overwrite.NEVER,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Restore a snapshot, or some of its paths."""
    if (target is None) != in_place:
        raise typer.BadParameter("give either --target DIR or --in-place")

    with performing(as_json=as_json) as say:
        from agent.cli.restoring import RestoreWish, restore

        wish = RestoreWish(snapshot, tuple(paths or ()), target, overwrite is Overwrite.ALWAYS, threads)
        say(restore(wish, vault, silent=as_json))


@app.command()
def check(
    snapshot: Annotated[str | None, typer.Argument(metavar="[SNAPSHOT]", help="Only this one; by default all.")] = None,
    read_data: Annotated[bool, typer.Option("--read-data", help="Read and open every pack.")] = False,
    threads: Threads = 2,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Check that every snapshot can be restored."""
    with performing(as_json=as_json) as say:
        from agent.cli.checking import check

        say(check(snapshot, vault, read_data=read_data, threads=threads, silent=as_json))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say who this device is, whether the service answers, and how the backups stand."""
    with performing(as_json=as_json) as say:
        from agent.cli.standing import status

        say(status())


@recovery_kit.command("test")
def prove_recovery_kit(
    kit: Annotated[Path | None, typer.Option("--kit", metavar="FILE", help="The kit to try.")] = None,
    recovery_key: RecoveryKey = None,
    as_json: AsJson = False,
) -> None:
    """Prove that the recovery kit opens the account's key; only then does this device count as protected."""
    with performing(as_json=as_json) as say:
        from agent.cli.recovering import test

        say(test(kit, recovery_key))


@recovery_kit.command("renew")
def renew_recovery_kit(
    login: Login,
    password_file: PasswordFile = None,
    kit: Annotated[Path | None, typer.Option("--kit", metavar="NEWFILE", help="Where to write the new kit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new recovery kit; the old one is dead at once."""
    with performing(as_json=as_json) as say:
        from agent.cli.recovering import RenewWish, renew

        say(renew(RenewWish(login, password_file, kit)))


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    with performing(as_json=as_json) as say:
        from agent.cli.version import version

        say(version())
