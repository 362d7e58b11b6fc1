"""Users: named persons with a password of their own, made, disabled, enabled and given a first password (G9, N11)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.errors import Conflict, Malformed, NotFound
from shared.domain.ids import CustomerId, UserId
from shared.domain.people import Unfit, check_person_name
from shared.domain.roles import is_administrator, takes_an_administrator_away, with_role
from shared.domain.tenancy import CUSTOMER_ROLES, Role, User, UserState
from shared.identity.passwords import fresh_password
from shared.operations.contention import until_unchanged
from shared.operations.customers import get_customer
from shared.operations.passwords import with_password
from shared.services import Services
from shared.storage.tables import AlreadyThere, Replace, Stored, transact
from shared.storage.tenants import CUSTOMERS_PARTITION
from shared.storage.users import LOGIN_ROW, USERS, Login, tenant_of


@dataclass(frozen=True, slots=True)
class CreateUser:
    id: UserId
    customer: CustomerId | None
    name: str
    login: str
    role: Role


@dataclass(frozen=True, slots=True)
class UserCreated:
    user: User
    password: str = field(repr=False)
    """Shown once; only its hash is kept."""


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """`None`: stays as it is."""

    id: UserId
    customer: CustomerId
    name: str | None
    role: Role | None


def create_user(services: Services, order: CreateUser) -> UserCreated:
    """A named person with a first password. Until that is used up, repeating the order brings a new one (N11)."""
    _must_be_a_person(services, order.name)
    if order.customer is not None:
        get_customer(services, order.customer)
    password = fresh_password()
    user = User(
        id=order.id,
        customer=order.customer,
        name=order.name,
        login=order.login,
        role=order.role,
        password_hash=services.passwords.hash(password),
        created_at=services.now(),
        must_change_password=True,
    )
    # Login before user: a crash here leaves a name that is taken, never two users with one name.
    _claim(services, Login(order.login, tenant_of(order.customer), order.id))
    return UserCreated(_put(services, user), password)


def get_user(services: Services, customer: CustomerId | None, user: UserId) -> Stored[User]:
    stored = services.users.get(tenant_of(customer), user)
    if stored is None:
        raise NotFound(f"there is no user {user}")
    return stored


def disable(services: Services, customer: CustomerId | None, user: UserId) -> User:
    """At once: the sessions end with it. Safe to repeat."""
    return _change(services, customer, user, lambda old: _in_state(old, UserState.DISABLED))


def enable(services: Services, customer: CustomerId | None, user: UserId) -> User:
    """May sign in again, with the password as it was. Safe to repeat."""
    return _change(services, customer, user, lambda old: _in_state(old, UserState.ACTIVE))


def change(services: Services, order: ChangeUser) -> User:
    """Another name or role; a new role ends the user's sessions, for tokens carry the old one. Safe to repeat.

    Raises `Malformed`, or `Conflict` when the customer would be left without an administrator.
    """
    if order.name is not None:
        _must_be_a_person(services, order.name)
    if order.role is not None and order.role not in CUSTOMER_ROLES:
        raise Malformed("role", "a customer's user is admin or member")
    return until_unchanged(lambda: _change_user(services, order))


def log_out_everywhere(services: Services, customer: CustomerId | None, user: UserId) -> User:
    """Every token of the user is dead; the password is not."""
    return _change(services, customer, user, lambda old: replace(old, epoch=old.epoch + 1))


def renew_password(services: Services, customer: CustomerId | None, user: UserId) -> UserCreated:
    """A new first password, for who forgot theirs; ends the user's sessions."""
    password = fresh_password()
    changed = _change(services, customer, user, lambda old: with_password(services, old, password, must_change=True))
    return UserCreated(changed, password)


def confirm_delivery(services: Services, customer: CustomerId | None, user: UserId) -> User:
    """The first credentials have reached this user; the first of a customer's users begins its service (N11)."""
    stored = get_user(services, customer, user).value
    if stored.delivered_at is not None:
        return stored
    now = services.now()
    # Customer before user: a crash here leaves a user to be confirmed again, never a service without a beginning.
    if customer is not None:
        _begin_service(services, customer, now)
    return _change(services, customer, user, lambda old: replace(old, delivered_at=old.delivered_at or now))


def _must_be_a_person(services: Services, name: str) -> None:
    verdict = check_person_name(name, services.settings.refused_names)
    if isinstance(verdict, Unfit):
        raise Malformed("name", verdict.reason)


def _begin_service(services: Services, customer: CustomerId, now: datetime) -> None:
    def attempt() -> None:
        stored = services.customers.get(CUSTOMERS_PARTITION, customer)
        assert stored is not None, "customers are never deleted while they have users"
        if stored.value.service_began_at is None:
            services.customers.replace(stored, replace(stored.value, service_began_at=now))

    until_unchanged(attempt)


def _in_state(user: User, state: UserState) -> User:
    """Another epoch each time it changes: a session from before does not come back."""
    return user if user.state is state else replace(user, state=state, epoch=user.epoch + 1)


def _change_user(services: Services, order: ChangeUser) -> User:
    stored = get_user(services, order.customer, order.id)
    new = with_role(replace(stored.value, name=order.name or stored.value.name), order.role or stored.value.role)
    if new == stored.value:
        return new
    steps = [Replace(USERS.to_entity(new), stored.etag)]
    if takes_an_administrator_away(stored.value, new):
        # In one transaction with whoever stays: of two who demote each other at once, one finds the other changed.
        witness = _another_administrator(services, order.customer, order.id)
        steps.append(Replace(USERS.to_entity(witness.value), witness.etag))
    transact(services.users.client, steps)
    return new


def _another_administrator(services: Services, customer: CustomerId, user: UserId) -> Stored[User]:
    for listed in services.users.all(customer):
        if listed.id != user and is_administrator(listed):
            found = get_user(services, customer, listed.id)
            if is_administrator(found.value):
                return found
    raise Conflict("this is the customer's last administrator: make another one first")


def _change(services: Services, customer: CustomerId | None, user: UserId, step: Callable[[User], User]) -> User:
    def attempt() -> User:
        stored = get_user(services, customer, user)
        new = step(stored.value)
        return new if new == stored.value else services.users.replace(stored, new).value

    return until_unchanged(attempt)


def _claim(services: Services, login: Login) -> None:
    try:
        services.logins.insert(login)
    except AlreadyThere:
        owner = services.logins.get(login.name, LOGIN_ROW)
        if owner is None or owner.value != login:
            raise Conflict(f"the login name {login.name!r} is taken") from None


def _put(services: Services, user: User) -> User:
    try:
        return services.users.insert(user).value
    except AlreadyThere:
        old = get_user(services, user.customer, user.id)
        if not old.value.must_change_password:
            raise Conflict(f"{user.login!r} has chosen a password already") from None
        return services.users.replace(old, replace(old.value, password_hash=user.password_hash)).value
