"""`python -m operator_cli`: what must be done before anybody can log in, and keys to do it with."""

from typing import Annotated

import typer

from shared.domain.ids import UserId
from shared.domain.tenancy import Role
from shared.identity.keyring import new_jwk_set
from shared.operations.customers import CreateUser, create_user
from shared.services import Services
from shared.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def init() -> None:
    """Create the tables and containers that are missing. Safe to repeat."""
    _services().create_storage()
    typer.echo("storage is ready")


@app.command()
def add_operator(
    name: Annotated[str, typer.Argument(help="The person's full name.")],
    login: Annotated[str, typer.Argument(help="The name to log in with, such as an e-mail address.")],
) -> None:
    """Create an operator and print the first password, once, on standard output."""
    services = _services()
    made = create_user(services, CreateUser(services.new(UserId), None, name, login.lower(), Role.OPERATOR))
    typer.echo(made.password)


@app.command()
def new_signing_key(kid: Annotated[str, typer.Argument(help="A name for the key, such as 2026-11.")]) -> None:
    """Print a fresh HORT_SIGNING_KEYS. Secret: keep it in Key Vault."""
    typer.echo(new_jwk_set(kid))


def _services() -> Services:
    return Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it


if __name__ == "__main__":
    app()
