"""Commands of an account's administrator, on any machine: one that is registered knows service and account."""

from typing import Annotated

import typer

from agent.cli.options import Account, AsJson, Login, PassphraseFile, PasswordFile
from agent.cli.perform import performing

devices = typer.Typer(help="List the account's devices, put one out.", no_args_is_help=True, rich_markup_mode=None)
codes = typer.Typer(help="Codes that let devices in.", no_args_is_help=True, rich_markup_mode=None)
account = typer.Typer(help="Lock the account, or open it again.", no_args_is_help=True, rich_markup_mode=None)
passphrase = typer.Typer(
    help="A passphrase that opens the account beside the recovery kit.", no_args_is_help=True, rich_markup_mode=None
)

ServiceUrl = Annotated[
    str | None, typer.Option("--service", metavar="URL", help="By default that of this device's account.")
]
WhichDevice = Annotated[str, typer.Argument(metavar="DEVICE", help="Its id, or its name if only one has it.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What is suspected, for whoever looks into it.")]


@devices.command("list")
def list_devices(
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """List the account's devices, also those that were revoked."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.list_devices(person, here.id))


@devices.command("revoke")
def revoke_device(
    device: WhichDevice,
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Put a device out, at once and for ever: lost, stolen or replaced. Its backups stay."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.revoke_device(person, here.id, device))


@codes.command("make")
def make_code(
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Make a code by which one device comes into the account within a day. It is shown this once."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.make_code(person, here.id))


@codes.command("list")
def list_codes(
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """List the account's codes: who made them, and which device came in with each."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.list_codes(person, here.id))


@account.command("lock")
def lock_account(
    login: Login,
    note: Note = "",
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Shut the account's devices out, because a breach is suspected. The data stays."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.lock_account(person, here.customer, here.id, note))


@account.command("unlock")
def unlock_account(
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Open a locked account again, for an administrator who has changed the password since (`hort password`)."""
    with performing(as_json=as_json) as say:
        from agent.cli import administering
        from agent.cli.signing_in import SignIn, come_in

        person, here = come_in(SignIn(service, login, password_file, account))
        say(administering.unlock_account(person, here.id))


@passphrase.command("set")
def set_passphrase(
    login: Login,
    password_file: PasswordFile = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Choose a passphrase that opens the account on a new device, or another one. Done on a device of the account."""
    with performing(as_json=as_json) as say:
        from agent.cli.passphrases import set_passphrase

        say(set_passphrase(login, password_file, passphrase_file))


@passphrase.command("remove")
def remove_passphrase(
    login: Login,
    service: ServiceUrl = None,
    password_file: PasswordFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Take the account's passphrase away: the recovery kit alone opens it from now on."""
    with performing(as_json=as_json) as say:
        from agent.cli.passphrases import remove_passphrase
        from agent.cli.signing_in import SignIn

        say(remove_passphrase(SignIn(service, login, password_file, account)))
