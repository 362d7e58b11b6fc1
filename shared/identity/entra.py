"""Entra ID's access tokens, by which the provider's own people come in; who they may be is settled there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import jwt
from jwt import PyJWKClient, PyJWKClientConnectionError, PyJWKClientError

from shared.domain.errors import HortError, NotAuthenticated
from shared.domain.ids import UserId
from shared.domain.tenancy import Role, UserCaller
from shared.identity.tokens import open_token

ALGORITHM = "RS256"
KEYS_LAST = timedelta(hours=24)
REFETCH = timedelta(minutes=1)
"""An unknown `kid` asks for new keys, but a flood of them does not become one at Entra ID."""
ANSWER_SECONDS = 5.0

_CLAIMS = ("exp", "iat", "sub", "oid", "roles")


class IssuerAway(HortError):
    """Entra ID's keys cannot be had now."""


@dataclass(frozen=True, slots=True)
class Entra:
    issuer: str
    audience: str
    roles: Mapping[str, Role]
    """What an app role makes of its holder; of several, the first in this order."""
    keys: PyJWKClient

    @classmethod
    def at(cls, jwks_url: str, issuer: str, audience: str, roles: Mapping[str, Role]) -> Self:
        keys = PyJWKClient(
            jwks_url,
            lifespan=KEYS_LAST.total_seconds(),
            cooldown_duration=REFETCH.total_seconds(),
            timeout=ANSWER_SECONDS,
        )
        return cls(issuer, audience, roles, keys)

    def claims_to_have_issued(self, token: str) -> bool:
        """Whether it is for us to check; nothing is proven yet."""
        try:
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return False
        return claims.get("iss") == self.issuer

    def check(self, token: str, now: datetime) -> UserCaller:
        """One of the provider's people. Raises `NotAuthenticated` with the reason, or `IssuerAway`."""
        try:
            key = self.keys.get_signing_key(str(jwt.get_unverified_header(token).get("kid")))
            claims = open_token(token, key.key, self.issuer, self.audience, now, algorithm=ALGORITHM, require=_CLAIMS)
            return UserCaller(_user(claims["oid"]), None, self._role(claims["roles"]))
        except PyJWKClientConnectionError:
            raise IssuerAway("Entra ID does not answer, so its tokens cannot be checked; try again") from None
        except (jwt.InvalidTokenError, PyJWKClientError) as fault:
            raise NotAuthenticated(f"the Entra ID token is not valid: {fault}") from None

    def _role(self, held: Any) -> Role:
        known = [role for name, role in self.roles.items() if isinstance(held, list) and name in held]
        if not known:
            raise jwt.DecodeError("it holds no role of ours")
        return known[0]


def _user(oid: Any) -> UserId:
    """An object id is 128 bits, as our identities are: the audit log's `user` leads back to it."""
    try:
        return UserId.of_number(UUID(oid).int)
    except (ValueError, AttributeError, TypeError):
        raise jwt.DecodeError("`oid` is no UUID") from None
