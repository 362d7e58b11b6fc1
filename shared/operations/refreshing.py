"""Refresh tokens: each good once, a family of them for each log-in."""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.errors import Malformed, NotAuthenticated, NotFound
from shared.domain.families import Family, FamilyState, GoesOn, OnceMore, Over, Reused, judge
from shared.domain.ids import FamilyId, UserId
from shared.domain.tenancy import User
from shared.operations import refusals
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.tables import Stored
from shared.storage.users import FAMILY_ROW

SECRET_BYTES = 32
_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Renewed:
    family: Family
    token: str = field(repr=False)
    """`<family>.<secret>`; only the secret's hash is kept."""


def begin(services: Services, user: User) -> str:
    """The first refresh token of a log-in."""
    family, secret, now = services.new(FamilyId), _new_secret(), services.now()
    services.families.insert(Family(family, user.id, user.customer, user.epoch, _hash(secret), now, now))
    return f"{family}.{secret}"


def renew(services: Services, token: str, address: str | None = None) -> Renewed:
    """The next token in the place of this one. Raises `NotAuthenticated`; one that was used before ends its family."""
    family, secret = _parse(token)

    def attempt() -> Renewed | Family:
        stored = services.families.get(family, FAMILY_ROW)
        if stored is None:
            raise NotAuthenticated("this refresh token is not one of ours")
        match judge(stored.value, _hash(secret), services.now()):
            case GoesOn():
                return _next(services, stored, previous_sha256=_hash(secret), renewed_at=services.now())
            case OnceMore():
                # Neither the old token nor its time changes: it is not answered for longer than the grace.
                return _next(services, stored)
            case Over(reason):
                raise NotAuthenticated(reason)
            case Reused():
                return services.families.replace(stored, replace(stored.value, state=FamilyState.ENDED)).value

    # Who loses a race finds another secret at the next look, and is judged by that.
    outcome = until_unchanged(attempt)
    if isinstance(outcome, Renewed):
        return outcome
    refusals.reuse(services, outcome, address)
    raise NotAuthenticated(Reused().reason)


def end(services: Services, token: str, user: UserId) -> None:
    """The session that this token of the user's belongs to goes on no more. Safe to repeat.

    Raises `NotFound` for a token of somebody else's; a token that was used before will do.
    """
    try:
        family, _ = _parse(token)
    except NotAuthenticated as fault:
        raise NotFound(str(fault)) from None

    def attempt() -> None:
        stored = services.families.get(family, FAMILY_ROW)
        if stored is None or stored.value.user != user:
            raise NotFound("this refresh token is none of yours")
        if stored.value.state is FamilyState.LIVE:
            services.families.replace(stored, replace(stored.value, state=FamilyState.ENDED))

    until_unchanged(attempt)


def _next(services: Services, stored: Stored[Family], **changes: Any) -> Renewed:
    secret = _new_secret()
    family = replace(stored.value, secret_sha256=_hash(secret), **changes)
    services.families.replace(stored, family)
    return Renewed(family, f"{family.id}.{secret}")


def _parse(token: str) -> tuple[FamilyId, str]:
    family, _, secret = token[:_MAX_LENGTH].partition(".")
    try:
        return FamilyId.parse(family), secret
    except Malformed:
        raise NotAuthenticated("this refresh token is not one of ours") from None


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _hash(secret: str) -> str:
    """Plain: 32 random bytes cannot be guessed from it."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
