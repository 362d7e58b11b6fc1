"""Who calls: users, tokens and the provider's published keys."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.api.base import Instant, Login, Name, Reply, Request
from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import Role, UserState


class GrantType(StrEnum):
    PASSWORD = "password"  # noqa: S105 -- the name of a grant, RFC 6749 §4.3
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 -- the name of a grant, RFC 6749 §6
    CLIENT_CREDENTIALS = "client_credentials"


JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRequest(Request):
    """`POST /token`, form encoded: a password (RFC 6749 §4.3), a refresh token (§6), a device's assertion (RFC 7523).

    The assertion is an EdDSA JWT that the device signs: `iss` and `sub` are `<account>.<device>`, `aud` is the token
    endpoint's URL, `exp` at most five minutes ahead, `jti` used once.
    """

    grant_type: GrantType
    username: str | None = None
    password: str | None = None
    refresh_token: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None


class Token(Reply):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 -- RFC 6750
    expires_in: int
    """Seconds."""
    refresh_token: str | None = None
    """Good once, for 30 days, to users only; one that comes a second time ends the session."""


class CreateUser(Request):
    name: Name
    login: Login
    role: Role = Role.MEMBER


class User(Reply):
    id: UserId
    customer: CustomerId | None
    name: str
    login: str
    role: Role
    created_at: Instant
    state: UserState
    must_change_password: bool
    """With a first password nothing opens but `POST /password`."""
    delivered_at: Instant | None = None
    """When the first password had reached the user (N11)."""


class ChangeUser(Request):
    """`PATCH .../users/{user}`: what is left out stays as it is."""

    name: Name | None = None
    role: Role | None = None


class LogOut(Request):
    """`POST /log-out`: one session, by its refresh token, or all that the caller has."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    everywhere: bool = False
    """Access tokens end with it at once; those of one session run out within 15 minutes."""


class LoggedOut(Reply):
    everywhere: bool


class ChangePassword(Request):
    """`POST /password`: a new one of at least 12 characters, neither the login name nor one of the commonest."""

    old_password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    new_password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class UserCreated(User):
    password: str
    """The first password; shown this once and kept nowhere."""


class JwkSet(Reply):
    """RFC 7517: the public keys that check our tokens."""

    keys: list[dict[str, str]]
