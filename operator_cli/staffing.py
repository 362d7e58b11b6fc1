"""The provider's own people, by who holds the service's settings, and on record in its audit log."""

from collections.abc import Callable

from operator_cli.local import services
from shared.domain.audit import Act, Deed
from shared.domain.errors import NotFound
from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import Role
from shared.operations import audit, users
from shared.operations.users import CreateUser
from shared.services import Services
from shared.storage.users import LOGIN_ROW, PROVIDER

type Step[T] = Callable[[Services, CustomerId | None, UserId], T]


def add(name: str, login: str, role: Role) -> str:
    """The first password."""
    here = services()
    made = users.create_user(here, CreateUser(here.new(UserId), None, name, login.lower(), role))
    _record(here, made.user.id, Deed.CREATE_USER)
    return made.password


def disable(login: str) -> None:
    _change(login, users.disable, Deed.DISABLE_USER)


def enable(login: str) -> None:
    _change(login, users.enable, Deed.ENABLE_USER)


def first_password(login: str) -> str:
    return _change(login, users.renew_password, Deed.RENEW_PASSWORD).password


def _change[T](login: str, step: Step[T], deed: Deed) -> T:
    here = services()
    claim = here.logins.get(login.lower(), LOGIN_ROW)
    if claim is None or claim.value.tenant != PROVIDER:
        raise NotFound(f"nobody of the provider's is called {login!r}")
    done = step(here, None, claim.value.user)
    _record(here, claim.value.user, deed)
    return done


def _record(here: Services, user: UserId, deed: Deed) -> None:
    subject = f"/provider/users/{user}"
    act = Act(here.now(), actor="service", deed=deed, subject=subject, address="operator_cli", outcome="done")
    audit.record(here, PROVIDER, act)
