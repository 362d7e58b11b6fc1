"""How callers prove who they are."""

from shared.api.identity import JWT_BEARER, GrantType, JwkSet, Token, TokenRequest
from shared.domain.errors import Malformed
from shared.identity.tokens import LIFETIME
from shared.operations import tokens
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def get_token(call: Call[TokenRequest]) -> Token:
    """An access token for a user's password, or for a device's signed assertion."""
    match call.body:
        case TokenRequest(grant_type=GrantType.PASSWORD, username=str(username), password=str(password)):
            token = tokens.for_password(call.services, username, password)
        case TokenRequest(
            grant_type=GrantType.CLIENT_CREDENTIALS, client_assertion_type=str(kind), client_assertion=str(assertion)
        ) if kind == JWT_BEARER:
            token = tokens.for_assertion(call.services, assertion)
        case TokenRequest(grant_type=GrantType.PASSWORD):
            raise Malformed("username", "the password grant needs username and password")
        case _:
            raise Malformed("client_assertion", f"needs a client_assertion_type of {JWT_BEARER} and a client_assertion")
    return Token(access_token=token, expires_in=int(LIFETIME.total_seconds()))


def get_jwks(call: Call[NoBody]) -> JwkSet:
    """The public keys that check our access tokens."""
    return JwkSet(keys=call.services.keyring.public_jwks())


ENDPOINTS = (
    Endpoint("POST", "/token", get_token, Who.ANYONE, TokenRequest, Token, form=True),
    Endpoint("GET", "/jwks", get_jwks, Who.ANYONE, NoBody, JwkSet),
)
