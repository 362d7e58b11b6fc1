"""What HTTP calls our errors: RFC 9457 problems with a `type` that never changes."""

import logging
from dataclasses import dataclass
from http import HTTPStatus

from azure.core.exceptions import AzureError, HttpResponseError

from shared.api.base import Problem
from shared.domain.breach import AccountLocked
from shared.domain.certificates import NotDue
from shared.domain.devices import DeviceRevoked
from shared.domain.errors import Conflict, Forbidden, HortError, Malformed, NotAuthenticated, NotFound
from shared.domain.lockout import LockedOut
from shared.domain.marks import SnapshotExpired
from shared.domain.policy_changes import ConfirmationNeeded
from shared.domain.sessions import SessionClosed
from shared.format.errors import BadSignature
from shared.identity.entra import IssuerAway
from shared.identity.passwords import TooManyAtOnce
from shared.keys.account_keys import KeyGone, KeysUnavailable
from shared.operations.commits import ObjectsMissing, PacksMissing
from shared.operations.slots import PreconditionFailed
from shared.storage.tables import Changed
from triggers.access import MustChangePassword

_LOG = logging.getLogger("hort.http")


class TooLarge(HortError):
    """The body is larger than any that makes sense."""


class KeyReused(HortError):
    """An Idempotency-Key came with another request than the first time."""


@dataclass(frozen=True, slots=True)
class Meaning:
    slug: str
    status: HTTPStatus
    title: str


MEANINGS: dict[type[HortError], Meaning] = {
    # The first that fits counts: special ones before their kin.
    SessionClosed: Meaning("session-closed", HTTPStatus.CONFLICT, "The backup session is not open any more"),
    PacksMissing: Meaning("packs-missing", HTTPStatus.CONFLICT, "Packs that the snapshot needs are not there"),
    ObjectsMissing: Meaning("objects-missing", HTTPStatus.CONFLICT, "Refs, head or index are not there"),
    NotDue: Meaning("not-due", HTTPStatus.CONFLICT, "It is too early to renew the certificate"),
    DeviceRevoked: Meaning("device-revoked", HTTPStatus.CONFLICT, "The device is revoked"),
    AccountLocked: Meaning("account-locked", HTTPStatus.FORBIDDEN, "A breach of the account is suspected"),
    KeyGone: Meaning("key-gone", HTTPStatus.CONFLICT, "The account's key is deleted"),
    SnapshotExpired: Meaning("snapshot-expired", HTTPStatus.CONFLICT, "The snapshot is expired"),
    ConfirmationNeeded: Meaning("confirmation-needed", HTTPStatus.CONFLICT, "Snapshots might be kept less long"),
    Conflict: Meaning("conflict", HTTPStatus.CONFLICT, "The state of things does not allow this"),
    BadSignature: Meaning("bad-signature", HTTPStatus.BAD_REQUEST, "The device did not sign this"),
    Malformed: Meaning("invalid-request", HTTPStatus.BAD_REQUEST, "The request is not valid"),
    TooLarge: Meaning("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    KeyReused: Meaning("key-reused", HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used before"),
    NotAuthenticated: Meaning("not-authenticated", HTTPStatus.UNAUTHORIZED, "Who is this?"),
    LockedOut: Meaning("too-many-attempts", HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords"),
    IssuerAway: Meaning("issuer-unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "Entra ID does not answer"),
    MustChangePassword: Meaning("password-change-required", HTTPStatus.FORBIDDEN, "The password must be changed"),
    Forbidden: Meaning("forbidden", HTTPStatus.FORBIDDEN, "This caller may not"),
    NotFound: Meaning("not-found", HTTPStatus.NOT_FOUND, "There is no such thing"),
    PreconditionFailed: Meaning("precondition-failed", HTTPStatus.PRECONDITION_FAILED, "It is not as you expected"),
    TooManyAtOnce: Meaning("busy", HTTPStatus.SERVICE_UNAVAILABLE, "Too many people log in at this moment"),
    KeysUnavailable: Meaning("keys-unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "The key vault does not answer"),
    Changed: Meaning("busy", HTTPStatus.SERVICE_UNAVAILABLE, "Too many writers at once; try again"),
}

STORAGE_DOWN = Meaning("storage-unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "Storage does not answer; try again")
OUR_FAULT = Meaning("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "We have a fault")


def problem_of(fault: Exception, instance: str) -> Problem:
    """The problem to answer with; what is our own fault is logged, and told to nobody."""
    match fault:
        case HortError():
            meaning = next((m for kind, m in MEANINGS.items() if isinstance(fault, kind)), None)
            if meaning is not None:
                told = _problem(meaning, str(fault), instance, field=_field(fault), packs=_packs(fault))
                return told.model_copy(update={"retry_after_seconds": _wait(fault)})
        case HttpResponseError(status_code=code) if code is not None and code < HTTPStatus.INTERNAL_SERVER_ERROR:
            pass  # storage answered, and said no to a request of ours: our fault
        case AzureError():
            _LOG.warning("storage: %s", type(fault).__name__)
            return _problem(STORAGE_DOWN, "Nothing was lost; repeat the request in a moment.", instance)
        case _:
            pass
    _LOG.error("unexpected fault", exc_info=fault)
    return _problem(OUR_FAULT, "It is in our log; repeating the request may help.", instance)


def _problem(
    meaning: Meaning, detail: str, instance: str, *, field: str | None = None, packs: list[str] | None = None
) -> Problem:
    return Problem(
        type=f"urn:hort:problem:{meaning.slug}",
        title=meaning.title,
        status=meaning.status,
        detail=detail,
        instance=instance,
        field=field,
        packs=packs,
    )


def _field(fault: HortError) -> str | None:
    return fault.field if isinstance(fault, Malformed) else None


def _packs(fault: HortError) -> list[str] | None:
    return [str(pack) for pack in fault.packs] if isinstance(fault, PacksMissing) else None


def _wait(fault: HortError) -> int | None:
    return fault.seconds if isinstance(fault, LockedOut) else None
