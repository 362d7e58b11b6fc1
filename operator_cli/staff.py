"""`staff`: the provider's own people, set up by who holds the service's settings."""

from typing import Annotated

import typer

from shared.domain.tenancy import CUSTOMER_ROLES, Role

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The provider's own people.")

Login = Annotated[str, typer.Argument(help="The name that this person logs in with.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's full name.")],
    login: Login,
    role: Annotated[Role, typer.Option(help="operator, billing or auditor.")] = Role.OPERATOR,
) -> None:
    """Create one of the provider's people and print the first password, once, on standard output."""
    from operator_cli import staffing

    if role in CUSTOMER_ROLES:
        raise typer.BadParameter("the provider's people are operator, billing or auditor")
    typer.echo(staffing.add(name, login, role))


@app.command()
def disable(login: Login) -> None:
    """Let somebody in no more; all sessions end at once."""
    from operator_cli import staffing

    staffing.disable(login)


@app.command()
def enable(login: Login) -> None:
    """Let somebody in again."""
    from operator_cli import staffing

    staffing.enable(login)


@app.command()
def first_password(login: Login) -> None:
    """Print a new first password; all sessions end."""
    from operator_cli import staffing

    typer.echo(staffing.first_password(login))
