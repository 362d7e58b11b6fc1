"""How the agent proves who it is: a user's password once, the device's key ever after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.api.identity import JWT_BEARER, GrantType, TokenRequest
from shared.domain.ids import AccountId, DeviceId

ASSERTION_LIFE = timedelta(minutes=4)
"""RFC 7523 leaves it to us; the service takes five minutes at most, and clocks differ."""


class Credential(Protocol):
    @property
    def tells_time(self) -> bool:
        """Whether a wrong clock spoils it; a password must not be tried twice for nothing."""
        ...

    def ask(self, token_url: str, now: datetime, jti: str) -> TokenRequest:
        """The request for an access token; `jti` is random, so that the assertion works once."""
        ...


@dataclass(frozen=True, slots=True)
class Password:
    """RFC 6749 §4.3."""

    login: str
    password: str
    tells_time: bool = False

    def ask(self, token_url: str, now: datetime, jti: str) -> TokenRequest:
        del token_url, now, jti
        return TokenRequest(grant_type=GrantType.PASSWORD, username=self.login, password=self.password)

    def __repr__(self) -> str:
        return f"Password({self.login!r})"


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """RFC 7523 §2.2: the device signs who it is, for whom, and until when, and names its certificate."""

    account: AccountId
    device: DeviceId
    key: Ed25519PrivateKey
    thumbprint: str
    tells_time: bool = True

    def ask(self, token_url: str, now: datetime, jti: str) -> TokenRequest:
        name = f"{self.account}.{self.device}"
        claims = {"iss": name, "sub": name, "aud": token_url, "iat": now, "exp": now + ASSERTION_LIFE, "jti": jti}
        return TokenRequest(
            grant_type=GrantType.CLIENT_CREDENTIALS,
            client_assertion_type=JWT_BEARER,
            client_assertion=jwt.encode(claims, self.key, algorithm="EdDSA", headers={"x5t#S256": self.thumbprint}),
        )
