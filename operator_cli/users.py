"""`users`: a customer's people, over the service's API."""

from typing import Annotated

import typer

from operator_cli.provider import UserDeed
from operator_cli.signing_in import Operator, PasswordFile, ServiceUrl, provider
from shared.domain.ids import CustomerId, UserId

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A customer's people.")

Customer = Annotated[str, typer.Argument(help="The customer's id.")]
User = Annotated[str, typer.Argument(help="The user's id.")]


@app.command(name="list")
def list_users(customer: Customer, service: ServiceUrl, operator: Operator, password_file: PasswordFile = None) -> None:
    """List a customer's users, a line each: id, role, state, login name, name."""
    for user in provider(service, operator, password_file).users(CustomerId.parse(customer)):
        typer.echo(f"{user.id}  {user.role:<7} {user.state:<9} {user.login}  {user.name}")


@app.command()
def change(
    customer: Customer,
    user: User,
    deed: UserDeed,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
) -> None:
    """Disable or enable a user, or confirm that the first password was delivered."""
    there = provider(service, operator, password_file)
    done = there.do_to_user(CustomerId.parse(customer), UserId.parse(user), deed)
    typer.echo(f"{done.name} is {done.state}; first password delivered at {done.delivered_at}")


@app.command()
def first_password(
    customer: Customer, user: User, service: ServiceUrl, operator: Operator, password_file: PasswordFile = None
) -> None:
    """Print a new first password, for a user who forgot theirs; all sessions end."""
    there = provider(service, operator, password_file)
    typer.echo(there.renew_password(CustomerId.parse(customer), UserId.parse(user)).password)
