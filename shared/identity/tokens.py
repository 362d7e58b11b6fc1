"""Access tokens that we sign, and the assertions by which devices ask for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.domain.errors import HortError, NotAuthenticated
from shared.domain.ids import AccountId, CustomerId, DeviceId, UserId
from shared.domain.tenancy import Caller, DeviceCaller, Role, UserCaller
from shared.identity.keyring import ALGORITHM, KeyRing

LIFETIME = timedelta(minutes=15)
SKEW = timedelta(seconds=60)
LONGEST_ASSERTION = timedelta(minutes=5)

_LAST_SECOND = 253402300799
"""Of the year 9999: where `datetime` ends."""

_ACCESS = "at+jwt"
"""RFC 9068: an access token is never mistaken for another JWT."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A device's proof of who it is, good once (RFC 7523 §3)."""

    account: AccountId
    device: DeviceId
    jti: str
    expires_at: datetime


def issue(caller: Caller, ring: KeyRing, issuer: str, now: datetime, jti: str) -> str:
    claims = {
        "iss": issuer,
        "aud": issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": jti,
        **_identity(caller),
    }
    return ring.sign(claims, _ACCESS)


def check(token: str, ring: KeyRing, issuer: str, now: datetime) -> Caller:
    """Who sent this token. Raises `NotAuthenticated` with the reason."""
    try:
        header = jwt.get_unverified_header(token)
        key = ring.verifier(header.get("kid"))
        if key is None or header.get("typ") != _ACCESS:
            raise NotAuthenticated("it is not one of ours, or its key is no longer in use")
        return _caller(_open(token, key, issuer, issuer, now))
    except (jwt.InvalidTokenError, HortError, KeyError, ValueError) as fault:
        raise NotAuthenticated(f"the access token is not valid: {_reason(fault)}") from None


def read_subject(assertion: str) -> tuple[AccountId, DeviceId]:
    """Whose assertion this claims to be, before the signature is checked: names the key to check it with."""
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
        account, _, device = str(claims["sub"]).partition(".")
        return AccountId.parse(account), DeviceId.parse(device)
    except (jwt.InvalidTokenError, KeyError, HortError):
        raise NotAuthenticated("the client assertion's `sub` is not <account>.<device>") from None


def check_assertion(
    assertion: str, key: Ed25519PublicKey, account: AccountId, device: DeviceId, audience: str, now: datetime
) -> Assertion:
    subject = f"{account}.{device}"
    try:
        claims = _open(assertion, key, subject, audience, now)
        if claims["sub"] != subject:
            raise NotAuthenticated("`sub` and `iss` differ")
        expires_at = datetime.fromtimestamp(_seconds(claims, "exp"), now.tzinfo)
        if expires_at > now + LONGEST_ASSERTION + SKEW:
            raise NotAuthenticated("it is valid for more than five minutes")
        return Assertion(account, device, str(claims["jti"]), expires_at)
    except (jwt.InvalidTokenError, NotAuthenticated, KeyError) as fault:
        raise NotAuthenticated(f"the client assertion is not valid: {_reason(fault)}") from None


def _open(token: str, key: Ed25519PublicKey, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    """Signature, issuer and audience by the library; times by our clock, which may be a virtual one."""
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=issuer,
        audience=audience,
        options={
            "require": ["exp", "iat", "jti", "sub"],
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    earliest, latest = now.timestamp() - SKEW.total_seconds(), now.timestamp() + SKEW.total_seconds()
    if _seconds(claims, "exp") < earliest:
        raise jwt.ExpiredSignatureError("it has expired")
    if any(_seconds(claims, name) > latest for name in ("iat", "nbf") if name in claims):
        raise jwt.ImmatureSignatureError("it is from the future: check the clock")
    return claims


def _seconds(claims: dict[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 §2). Devices write these themselves, so it may be anything."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise jwt.DecodeError(f"`{name}` is no time")
    return float(value)


def _identity(caller: Caller) -> dict[str, Any]:
    match caller:
        case UserCaller(user, customer, role):
            return {"sub": user, "customer": customer, "role": role.value}
        case DeviceCaller(device, account, customer):
            return {"sub": device, "customer": customer, "account": account}


def _caller(claims: dict[str, Any]) -> Caller:
    customer = claims["customer"] and CustomerId.parse(claims["customer"])
    if "account" in claims:
        return DeviceCaller(
            DeviceId.parse(claims["sub"]), AccountId.parse(claims["account"]), CustomerId.parse(customer)
        )
    return UserCaller(UserId.parse(claims["sub"]), customer, Role(claims["role"]))


def _reason(fault: Exception) -> str:
    return f"{fault.args[0]} is missing" if isinstance(fault, KeyError) else str(fault)
