"""`staff`: the provider's own people, set up by who holds the service's settings, and on record in its audit log."""

from collections.abc import Callable
from typing import Annotated

import typer

from operator_cli.local import services
from shared.domain.audit import Act, Deed
from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import CUSTOMER_ROLES, Role
from shared.operations import audit, users
from shared.operations.users import CreateUser
from shared.services import Services
from shared.storage.users import LOGIN_ROW, PROVIDER

app = typer.Typer(no_args_is_help=True, help="The provider's own people.")

Login = Annotated[str, typer.Argument(help="The name that this person logs in with.")]
type Step[T] = Callable[[Services, CustomerId | None, UserId], T]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's full name.")],
    login: Login,
    role: Annotated[Role, typer.Option(help="operator, billing or auditor.")] = Role.OPERATOR,
) -> None:
    """Create one of the provider's people and print the first password, once, on standard output."""
    if role in CUSTOMER_ROLES:
        raise typer.BadParameter("the provider's people are operator, billing or auditor")
    here = services()
    made = users.create_user(here, CreateUser(here.new(UserId), None, name, login.lower(), role))
    _record(here, made.user.id, Deed.CREATE_USER)
    typer.echo(made.password)


@app.command()
def disable(login: Login) -> None:
    """Let somebody in no more; all sessions end at once."""
    _change(login, users.disable, Deed.DISABLE_USER)


@app.command()
def enable(login: Login) -> None:
    """Let somebody in again."""
    _change(login, users.enable, Deed.ENABLE_USER)


@app.command()
def first_password(login: Login) -> None:
    """Print a new first password; all sessions end."""
    typer.echo(_change(login, users.renew_password, Deed.RENEW_PASSWORD).password)


def _change[T](login: str, step: Step[T], deed: Deed) -> T:
    here = services()
    claim = here.logins.get(login.lower(), LOGIN_ROW)
    if claim is None or claim.value.tenant != PROVIDER:
        raise typer.BadParameter(f"nobody of the provider's is called {login!r}")
    done = step(here, None, claim.value.user)
    _record(here, claim.value.user, deed)
    return done


def _record(here: Services, user: UserId, deed: Deed) -> None:
    subject = f"/provider/users/{user}"
    act = Act(here.now(), actor="service", deed=deed, subject=subject, address="operator_cli", outcome="done")
    audit.record(here, PROVIDER, act)
