"""Proving a password and choosing another one."""

from dataclasses import dataclass, field, replace

from shared.domain.errors import Malformed, NotAuthenticated
from shared.domain.ids import CustomerId, UserId
from shared.domain.people import Unfit, check_password
from shared.domain.tenancy import User, UserState
from shared.identity.passwords import TooManyAtOnce
from shared.operations import refusals
from shared.operations.lockout import count_try, it_was_right, take_back
from shared.services import Services
from shared.storage.tables import Stored
from shared.storage.users import LOGIN_ROW, PROVIDER, Login, tenant_of

_NOBODY = UserId("0" * 26)


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody says to be this user."""

    login: str
    password: str = field(repr=False)
    address: str | None
    """Where from; `None` when no front end tells it."""


@dataclass(frozen=True, slots=True)
class ChangePassword:
    user: UserId
    customer: CustomerId | None
    old: str = field(repr=False)
    new: str = field(repr=False)
    address: str | None


def prove(services: Services, proof: Proof) -> Stored[User]:
    """The user. Raises `LockedOut`, or `NotAuthenticated` with the same words whatever was wrong.

    An unknown user takes the same steps as a known one, and as long.
    """
    name = proof.login.strip().lower()
    proof = replace(proof, login=name)
    failures = count_try(services, name, proof.address)
    claim = services.logins.get(name, LOGIN_ROW) if _is_plausible(name) else None
    login = claim.value if claim else Login(name, PROVIDER, _NOBODY)
    user = services.users.get(login.tenant, login.user)
    right = _is_right(services, proof, user and user.value)
    if user is None or not right or user.value.state is UserState.DISABLED:
        refusals.log_in(services, user and user.value, failures, proof.address)
        raise NotAuthenticated("user name or password is wrong")
    it_was_right(services, name, proof.address)
    return user


def change(services: Services, order: ChangePassword) -> User:
    """Ends all the user's sessions. Raises `Malformed` for either password, or `LockedOut`."""
    stored = services.users.get(tenant_of(order.customer), order.user)
    if stored is None:
        raise NotAuthenticated("there is no such user any more")
    verdict = check_password(order.new, stored.value.login)
    if isinstance(verdict, Unfit):
        raise Malformed("new_password", verdict.reason)
    if order.new == order.old:
        raise Malformed("new_password", "is the old one")
    count_try(services, stored.value.login, order.address)
    proof = Proof(stored.value.login, order.old, order.address)
    if not _is_right(services, proof, stored.value):
        raise Malformed("old_password", "is wrong")
    it_was_right(services, stored.value.login, order.address)
    changed = with_password(services, stored.value, order.new, must_change=False)
    return services.users.replace(stored, replace(changed, password_changed_at=services.now())).value


def with_password(services: Services, user: User, password: str, *, must_change: bool) -> User:
    """A new epoch comes with it: whoever had the old password has no session any more."""
    return replace(
        user,
        password_hash=services.passwords.hash(password),
        must_change_password=must_change,
        epoch=user.epoch + 1,
    )


def _is_right(services: Services, proof: Proof, user: User | None) -> bool:
    try:
        return services.passwords.is_right(proof.password, user.password_hash if user else None)
    except TooManyAtOnce:
        take_back(services, proof.login, proof.address)  # it was not looked at
        raise


def _is_plausible(login: str) -> bool:
    """Only such names were ever given out; others would be no good as a table key."""
    return 3 <= len(login) <= 100 and all(c.isalnum() or c in ".@_+-" for c in login) and login.isascii()
