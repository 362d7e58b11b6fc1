"""Who calls: users, tokens and the provider's published keys."""

from enum import StrEnum

from shared.api.base import Instant, Login, Name, Reply, Request
from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import Role


class GrantType(StrEnum):
    PASSWORD = "password"  # noqa: S105 -- the name of a grant, RFC 6749 §4.3
    CLIENT_CREDENTIALS = "client_credentials"


JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRequest(Request):
    """`POST /token`, form encoded: a user's password (RFC 6749 §4.3) or a device's assertion (RFC 7523 §2.2).

    The assertion is an EdDSA JWT that the device signs: `iss` and `sub` are `<account>.<device>`, `aud` is the token
    endpoint's URL, `exp` at most five minutes ahead, `jti` used once.
    """

    grant_type: GrantType
    username: str | None = None
    password: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None


class Token(Reply):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 -- RFC 6750
    expires_in: int
    """Seconds."""


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


class UserCreated(User):
    password: str
    """The first password; shown this once and kept nowhere."""


class JwkSet(Reply):
    """RFC 7517: the public keys that check our tokens."""

    keys: list[dict[str, str]]
