"""A session of a user: a chain of refresh tokens, each good once, and the rule when one comes a second time.

RFC 9700 §4.14.2: of a stolen token and its owner's, one is used second; then nobody may go on.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.ids import CustomerId, FamilyId, UserId

IDLE = timedelta(days=30)
LONGEST = timedelta(days=90)


GRACE = timedelta(seconds=30)
"""For so long a token is answered once more: the answer to the first time may have been lost on its way."""


class FamilyState(StrEnum):
    LIVE = "live"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Family:
    id: FamilyId
    user: UserId
    customer: CustomerId | None
    epoch: int
    """The user's at the log-in: what ends the user's sessions ends this one."""
    secret_sha256: str
    """Of the one refresh token that is still good."""
    began_at: datetime
    renewed_at: datetime
    state: FamilyState = FamilyState.LIVE
    previous_sha256: str | None = None
    """Of the token that the good one took the place of."""


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The token is the one that is good."""


@dataclass(frozen=True, slots=True)
class OnceMore:
    """The token was the good one until a moment ago, and the one that took its place has not been used."""


@dataclass(frozen=True, slots=True)
class Over:
    reason: str


@dataclass(frozen=True, slots=True)
class Reused:
    """The token was good once: somebody has a copy, so the family must end."""

    reason: str = "this refresh token was used before, so its session has ended: log in again"


def judge(family: Family, secret_sha256: str, now: datetime) -> GoesOn | OnceMore | Over | Reused:
    if family.state is FamilyState.ENDED:
        return Over("this session has ended: log in again")
    if _same(family.previous_sha256, secret_sha256) and now - family.renewed_at < GRACE:
        return OnceMore()
    if not _same(family.secret_sha256, secret_sha256):
        return Reused()
    return Over("this session is too old: log in again") if is_too_old(family, now) else GoesOn()


def is_too_old(family: Family, now: datetime) -> bool:
    return now - family.renewed_at >= IDLE or now - family.began_at >= LONGEST


def _same(kept: str | None, given: str) -> bool:
    return kept is not None and hmac.compare_digest(kept, given)
