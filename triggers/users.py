"""A customer's users, and a user's own password."""

from http import HTTPStatus

from shared.api import identity as api
from shared.api.base import Page
from shared.domain import tenancy
from shared.domain.audit import Deed
from shared.domain.errors import Conflict, Malformed
from shared.domain.ids import UserId
from shared.domain.tenancy import CUSTOMER_ROLES
from shared.operations import customers, passwords, refreshing, users
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def create_user(call: Call[api.CreateUser]) -> api.UserCreated:
    """A new user of a customer, a named person, with a first password that is shown once."""
    if call.body.role not in CUSTOMER_ROLES:
        raise Malformed("role", "a customer's user is admin or member")
    order = users.CreateUser(call.new(UserId), call.customer, call.body.name, call.body.login, call.body.role)
    return _created(users.create_user(call.services, order))


def list_users(call: Call[NoBody]) -> Page[api.User]:
    """A customer's users, oldest first, the disabled ones too."""
    limit, customer = call.limit(), customers.get_customer(call.services, call.customer).id
    found = call.services.users.page(customer, after=call.after(), limit=limit)
    return page_of([_user(user) for user in found], limit)


def get_user(call: Call[NoBody]) -> api.User:
    """One user."""
    return _user(users.get_user(call.services, call.customer, call.id(UserId)).value)


def change_user(call: Call[api.ChangeUser]) -> api.User:
    """Another name or role; a new role ends the user's sessions, and the last administrator keeps theirs."""
    order = users.ChangeUser(call.id(UserId), call.customer, call.body.name, call.body.role)
    return _user(users.change(call.services, order))


def disable_user(call: Call[NoBody]) -> api.User:
    """The user may not sign in any more, and all sessions end at once."""
    user = call.id(UserId)
    if user == call.who.id:
        raise Conflict("nobody disables oneself")
    return _user(users.disable(call.services, call.customer, user))


def enable_user(call: Call[NoBody]) -> api.User:
    """The user may sign in again."""
    return _user(users.enable(call.services, call.customer, call.id(UserId)))


def renew_first_password(call: Call[NoBody]) -> api.UserCreated:
    """A new first password, for a user who forgot theirs; all sessions end."""
    return _created(users.renew_password(call.services, call.customer, call.id(UserId)))


def confirm_delivery(call: Call[NoBody]) -> api.User:
    """The first password has reached its user: the customer's first one begins the service."""
    return _user(users.confirm_delivery(call.services, call.customer, call.id(UserId)))


def change_password(call: Call[api.ChangePassword]) -> api.User:
    """Another password for the caller, who must know the old one; all sessions end."""
    body, person = call.body, call.person
    order = passwords.ChangePassword(
        user=person.id,
        customer=person.customer,
        old=body.old_password,
        new=body.new_password,
        address=call.address,
    )
    return _user(passwords.change(call.services, order))


def log_out(call: Call[api.LogOut]) -> api.LoggedOut:
    """Ends the session that a refresh token belongs to, or all of the caller's."""
    person, token = call.person, call.body.refresh_token
    if token is None and not call.body.everywhere:
        raise Malformed("refresh_token", "says which session ends, unless all do")
    if token is not None:
        refreshing.end(call.services, token, person.id)
    if call.body.everywhere:
        users.log_out_everywhere(call.services, person.customer, person.id)
    return api.LoggedOut(everywhere=call.body.everywhere)


def _user(user: tenancy.User) -> api.User:
    return api.User.model_validate(user, from_attributes=True)


def _created(made: users.UserCreated) -> api.UserCreated:
    return api.UserCreated(**_user(made.user).model_dump(), password=made.password)


_USERS = "/customers/{customer}/users"
_USER = f"{_USERS}/{{user}}"

ENDPOINTS = (
    Endpoint(
        "POST",
        _USERS,
        create_user,
        Who.KEEPER,
        api.CreateUser,
        api.UserCreated,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.CREATE_USER,
    ),
    Endpoint("GET", _USERS, list_users, Who.KEEPER, NoBody, Page[api.User], pages=True),
    Endpoint("GET", _USER, get_user, Who.KEEPER, NoBody, api.User),
    Endpoint("PATCH", _USER, change_user, Who.KEEPER, api.ChangeUser, api.User, audited=Deed.CHANGE_USER),
    Endpoint("POST", f"{_USER}/disable", disable_user, Who.KEEPER, NoBody, api.User, audited=Deed.DISABLE_USER),
    Endpoint("POST", f"{_USER}/enable", enable_user, Who.KEEPER, NoBody, api.User, audited=Deed.ENABLE_USER),
    Endpoint(
        "POST",
        f"{_USER}/first-password",
        renew_first_password,
        Who.KEEPER,
        NoBody,
        api.UserCreated,
        audited=Deed.RENEW_PASSWORD,
    ),
    Endpoint(
        "POST", f"{_USER}/delivered", confirm_delivery, Who.OPERATOR, NoBody, api.User, audited=Deed.CONFIRM_DELIVERY
    ),
    Endpoint(
        "POST",
        "/password",
        change_password,
        Who.PERSON,
        api.ChangePassword,
        api.User,
        guesses=True,
        audited=Deed.CHANGE_PASSWORD,
    ),
    Endpoint("POST", "/log-out", log_out, Who.PERSON, api.LogOut, api.LoggedOut, audited=Deed.LOG_OUT),
)
