"""Access tokens that we sign, and the assertions by which devices ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import AllowedPublicKeys
from jwt.utils import base64url_decode, base64url_encode

from shared.domain.errors import HortError, NotAuthenticated
from shared.domain.ids import AccountId, CustomerId, DeviceId, UserId
from shared.domain.tenancy import Bearer, DeviceCaller, Newcomer, Role, UserCaller
from shared.identity.keyring import ALGORITHM, KeyRing

LIFETIME = timedelta(minutes=15)
SKEW = timedelta(seconds=60)
LONGEST_ASSERTION = timedelta(minutes=5)

_LAST_SECOND = 253402300799
"""Of the year 9999: where `datetime` ends."""

_ACCESS = "at+jwt"
"""RFC 9068: an access token is never mistaken for another JWT."""

_NEWCOMER = "password"
"""RFC 6749 §3.3: the scope of a token that only opens the change of the password."""

_OUR_CLAIMS = ("exp", "iat", "jti", "sub")


@dataclass(frozen=True, slots=True)
class Assertion:
    """A device's proof of who it is, good once (RFC 7523 §3)."""

    account: AccountId
    device: DeviceId
    jti: str
    expires_at: datetime


def issue(caller: Bearer, ring: KeyRing, issuer: str, now: datetime, jti: str) -> str:
    claims = {
        "iss": issuer,
        "aud": issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": jti,
        **_identity(caller),
    }
    return ring.sign(claims, _ACCESS)


def check(token: str, ring: KeyRing, issuer: str, now: datetime) -> Bearer:
    """Who sent this token. Raises `NotAuthenticated` with the reason."""
    try:
        header = jwt.get_unverified_header(token)
        key = ring.verifier(header.get("kid"))
        if key is None or header.get("typ") != _ACCESS:
            raise NotAuthenticated("it is not one of ours, or its key is no longer in use")
        return _caller(open_token(token, key, issuer, issuer, now))
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


def read_thumbprint(assertion: str) -> str | None:
    """Which certificate this claims to be signed with (RFC 7515 §4.1.8), before the signature is checked."""
    try:
        named = jwt.get_unverified_header(assertion).get("x5t#S256")
    except jwt.InvalidTokenError:
        return None
    return named if isinstance(named, str) else None


def check_assertion(
    assertion: str, key: Ed25519PublicKey, account: AccountId, device: DeviceId, audience: str, now: datetime
) -> Assertion:
    subject = f"{account}.{device}"
    try:
        claims = open_token(assertion, key, subject, audience, now)
        if claims["sub"] != subject:
            raise NotAuthenticated("`sub` and `iss` differ")
        expires_at = datetime.fromtimestamp(_seconds(claims, "exp"), now.tzinfo)
        if expires_at > now + LONGEST_ASSERTION + SKEW:
            raise NotAuthenticated("it is valid for more than five minutes")
        return Assertion(account, device, str(claims["jti"]), expires_at)
    except (jwt.InvalidTokenError, NotAuthenticated, KeyError) as fault:
        raise NotAuthenticated(f"the client assertion is not valid: {_reason(fault)}") from None


def open_token(
    token: str,
    key: AllowedPublicKeys,
    issuer: str,
    audience: str,
    now: datetime,
    *,
    algorithm: str = ALGORITHM,
    require: Sequence[str] = _OUR_CLAIMS,
) -> dict[str, Any]:
    """Signature, issuer and audience by the library; times by our clock, which may be a virtual one."""
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        issuer=issuer,
        audience=audience,
        options={
            "require": list(require),
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    if not _has_one_spelling(token):
        raise jwt.DecodeError("its signature is spelt otherwise than it was given out")
    earliest, latest = now.timestamp() - SKEW.total_seconds(), now.timestamp() + SKEW.total_seconds()
    if _seconds(claims, "exp") < earliest:
        raise jwt.ExpiredSignatureError("it has expired")
    if any(_seconds(claims, name) > latest for name in ("iat", "nbf") if name in claims):
        raise jwt.ImmatureSignatureError("it is from the future: check the clock")
    return claims


def _has_one_spelling(token: str) -> bool:
    """Readers of base64url forgive padding, strange characters and bits that are left over (RFC 4648 §3); we do not."""
    signature = token.rpartition(".")[2]
    return base64url_encode(base64url_decode(signature)).decode() == signature


def _seconds(claims: dict[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 §2). Devices write these themselves, so it may be anything."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise jwt.DecodeError(f"`{name}` is no time")
    return float(value)


def _identity(caller: Bearer) -> dict[str, Any]:
    match caller:
        case UserCaller(user, customer, role, epoch):
            return {"sub": user, "customer": customer, "role": role.value, "epoch": epoch}
        case Newcomer(user, customer, epoch):
            return {"sub": user, "customer": customer, "scope": _NEWCOMER, "epoch": epoch}
        case DeviceCaller(device, account, customer, epoch):
            return {"sub": device, "customer": customer, "account": account, "epoch": epoch}


def _caller(claims: dict[str, Any]) -> Bearer:
    customer = claims["customer"] and CustomerId.parse(claims["customer"])
    epoch = int(claims["epoch"])
    if "account" in claims:
        account = AccountId.parse(claims["account"])
        return DeviceCaller(DeviceId.parse(claims["sub"]), account, CustomerId.parse(customer), epoch)
    if claims.get("scope") == _NEWCOMER:
        return Newcomer(UserId.parse(claims["sub"]), customer, epoch)
    return UserCaller(UserId.parse(claims["sub"]), customer, Role(claims["role"]), epoch)


def _reason(fault: Exception) -> str:
    return f"{fault.args[0]} is missing" if isinstance(fault, KeyError) else str(fault)
