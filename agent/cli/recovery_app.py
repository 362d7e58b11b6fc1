"""What `hort recovery-kit` takes."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import AsJson, Login, PasswordFile, RecoveryKey
from agent.cli.perform import performing

recovery_kit = typer.Typer(
    help="Test the recovery kit, or make a new one.", no_args_is_help=True, rich_markup_mode=None
)


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
