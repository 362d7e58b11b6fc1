"""Enrolment codes: one device comes in with one code, within a day."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.errors import NotAuthenticated
from shared.domain.ids import AccountId, CodeId, CustomerId, DeviceId, UserId
from shared.domain.tenancy import Account

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """What is kept of a code: enough to know it again, too little to say it."""

    id: CodeId
    sha256: str
    account: AccountId
    customer: CustomerId
    made_by: UserId
    expires_at: datetime
    device: DeviceId | None = None
    """Who came in with it."""
    key_sha256: str | None = None
    """That device's key: it may ask again when the answer was lost, nobody else may."""


class CodeState(StrEnum):
    """What a code is good for now."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"
    """Made before a suspected breach."""
    EXPIRED = "expired"


def state_of(code: EnrolmentCode, account: Account, now: datetime) -> CodeState:
    if code.device is not None:
        return CodeState.USED
    if _is_void(code, account):
        return CodeState.WITHDRAWN
    return CodeState.EXPIRED if now >= code.expires_at else CodeState.OPEN


def refuse_if_void(code: EnrolmentCode, account: Account) -> None:
    """Raises `NotAuthenticated` for a code from before a suspected breach."""
    if _is_void(code, account):
        raise NotAuthenticated("this enrolment code was withdrawn: ask for a new one")


def used(code: EnrolmentCode, device: DeviceId, key_sha256: str, now: datetime) -> EnrolmentCode:
    """The code after this device's use of it. Raises `NotAuthenticated` with the reason."""
    if code.key_sha256 == key_sha256:
        return code
    if code.device is not None:
        raise NotAuthenticated("this enrolment code was used before")
    if now >= code.expires_at:
        raise NotAuthenticated("this enrolment code has expired: ask for a new one")
    return replace(code, device=device, key_sha256=key_sha256)


def _is_void(code: EnrolmentCode, account: Account) -> bool:
    return account.codes_since is not None and code.expires_at - LIFETIME <= account.codes_since
