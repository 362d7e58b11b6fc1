"""How callers prove who they are."""

from datetime import timedelta

from shared.api.identity import JWT_BEARER, GrantType, JwkSet, Token, TokenRequest
from shared.domain.errors import Malformed
from shared.identity.tokens import LIFETIME
from shared.operations import tokens
from shared.operations.passwords import Proof
from shared.operations.tokens import Granted
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint

KEYS_LAST = timedelta(minutes=5)
"""A key is published for so long before it signs anything (`operator_cli signing-keys`)."""


def get_token(call: Call[TokenRequest]) -> Token:
    """An access token for a user's password or refresh token, or for a device's signed assertion."""
    match call.body:
        case TokenRequest(grant_type=GrantType.PASSWORD, username=str(username), password=str(password)):
            return _token(tokens.for_password(call.services, Proof(username, password, call.address)))
        case TokenRequest(grant_type=GrantType.REFRESH_TOKEN, refresh_token=str(refresh_token)):
            return _token(tokens.for_refresh(call.services, refresh_token, call.address))
        case TokenRequest(
            grant_type=GrantType.CLIENT_CREDENTIALS, client_assertion_type=str(kind), client_assertion=str(assertion)
        ) if kind == JWT_BEARER:
            return _token(Granted(tokens.for_assertion(call.services, assertion, call.address), None))
        case TokenRequest(grant_type=GrantType.PASSWORD):
            raise Malformed("username", "the password grant needs username and password")
        case TokenRequest(grant_type=GrantType.REFRESH_TOKEN):
            raise Malformed("refresh_token", "the refresh_token grant needs one")
        case _:
            raise Malformed("client_assertion", f"needs a client_assertion_type of {JWT_BEARER} and a client_assertion")


def get_jwks(call: Call[NoBody]) -> JwkSet:
    """The public keys that check our access tokens."""
    return JwkSet(keys=call.services.keyring.public_jwks())


def _token(granted: Granted) -> Token:
    return Token(
        access_token=granted.access_token,
        expires_in=int(LIFETIME.total_seconds()),
        refresh_token=granted.refresh_token,
    )


ENDPOINTS = (
    Endpoint("POST", "/token", get_token, Who.ANYONE, TokenRequest, Token, form=True, guesses=True),
    Endpoint("GET", "/jwks", get_jwks, Who.ANYONE, NoBody, JwkSet, cached_seconds=int(KEYS_LAST.total_seconds())),
)
