"""`accounts`, `devices` and `codes`: what comes into an account, and what shuts it."""

from typing import Annotated

import typer

from agent.cli import administering
from agent.cli.perform import performing
from operator_cli.signing_in import (
    AccountArgument,
    AsJson,
    CustomerArgument,
    Instruction,
    Operator,
    PasswordFile,
    ServiceUrl,
    provider,
)
from shared.domain.ids import AccountId, CustomerId

_ADMIN = "Needs the log-in of an administrator of the customer's: operators let no device in or out."

accounts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Lock an account, or open it again.")
devices = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List an account's devices, put one out.")
codes = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Codes that let devices into an account.")

NAME = "hortctl"


@accounts.command("lock")
def lock_account(
    customer: CustomerArgument,
    account: AccountArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    note: Annotated[str, typer.Option(help="What is suspected, for whoever looks into it.")] = "",
    instruction: Instruction = None,
    as_json: AsJson = False,
) -> None:
    """Shut the account's devices out, because a breach is suspected; the data stays. Opens an incident."""
    with performing(as_json=as_json, program=NAME) as say:
        person = provider(service, operator, password_file, instruction)
        say(administering.lock_account(person, CustomerId.parse(customer), AccountId.parse(account), note))


@accounts.command("unlock", epilog=_ADMIN)
def unlock_account(
    account: AccountArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Open a locked account again, for an administrator who has changed the password since."""
    with performing(as_json=as_json, program=NAME) as say:
        say(administering.unlock_account(provider(service, operator, password_file), AccountId.parse(account)))


@devices.command("list", epilog=_ADMIN)
def list_devices(
    account: AccountArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List the account's devices, also those that were revoked."""
    with performing(as_json=as_json, program=NAME) as say:
        say(administering.list_devices(provider(service, operator, password_file), AccountId.parse(account)))


@devices.command("revoke", epilog=_ADMIN)
def revoke_device(
    account: AccountArgument,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its id, or its name if only one has it.")],
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a device out, at once and for ever: lost, stolen or replaced. Its backups stay."""
    with performing(as_json=as_json, program=NAME) as say:
        person = provider(service, operator, password_file)
        say(administering.revoke_device(person, AccountId.parse(account), device))


@codes.command("make", epilog=_ADMIN)
def make_code(
    account: AccountArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a code by which one device comes in within a day. It is shown this once."""
    with performing(as_json=as_json, program=NAME) as say:
        say(administering.make_code(provider(service, operator, password_file), AccountId.parse(account)))


@codes.command("list", epilog=_ADMIN)
def list_codes(
    account: AccountArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List the account's codes: who made them, and which device came in with each."""
    with performing(as_json=as_json, program=NAME) as say:
        say(administering.list_codes(provider(service, operator, password_file), AccountId.parse(account)))
