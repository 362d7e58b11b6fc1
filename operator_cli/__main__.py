"""`python -m operator_cli`: what must be done before anybody can log in, and keys to do it with."""

from typing import Annotated

import typer

from operator_cli.provider import Provider
from shared.api.identity import CreateUser as ApiCreateUser
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
def add_customer(
    name: Annotated[str, typer.Argument(help="The customer, such as a firm.")],
    user: Annotated[str, typer.Option(help="Its first user: a person's full name.")],
    login: Annotated[str, typer.Option(help="The name that person logs in with.")],
    service: Annotated[str, typer.Option(envvar="HORT_SERVICE", help="The service's URL.")],
    operator: Annotated[str, typer.Option(envvar="HORT_OPERATOR", help="Your own login name.")],
    password: Annotated[str, typer.Option(envvar="HORT_OPERATOR_PASSWORD", prompt=True, hide_input=True)],
    account: Annotated[str, typer.Option(help="What to call its first account.")] = "Backups",
) -> None:
    """Create a customer with one account and its first administrator, and print the first password, once."""
    provider = Provider(service, operator, password)
    customer = provider.create_customer(name)
    vault = provider.create_account(customer.id, account)
    made = provider.create_user(customer.id, ApiCreateUser(name=user, login=login, role=Role.ADMIN))
    typer.echo(f"customer {customer.id}\naccount  {vault.id}\nlogin    {made.login}\npassword {made.password}")


@app.command()
def new_signing_key(kid: Annotated[str, typer.Argument(help="A name for the key, such as 2026-11.")]) -> None:
    """Print a fresh HORT_SIGNING_KEYS. Secret: keep it in Key Vault."""
    typer.echo(new_jwk_set(kid))


def _services() -> Services:
    return Services(Settings())  # pyright: ignore[reportCallIssue] -- the environment fills it


if __name__ == "__main__":
    app()
