"""Restore sessions: leave to read, on record."""

from http import HTTPStatus

from shared.api.backups import Grant, OpenRestore, Restore
from shared.domain.audit import Deed
from shared.domain.ids import RestoreId
from shared.operations import restores
from shared.operations.restores import RestoreOpened
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def open_restore(call: Call[OpenRestore]) -> Restore:
    """Leave to read the vault for some hours; on record."""
    order = restores.OpenRestore(call.new(RestoreId), call.account, call.body.snapshot, call.who)
    return _restore(restores.open_restore(call.services, order))


def get_restore(call: Call[NoBody]) -> Restore:
    """The same leave with a fresh end, for restores that take longer."""
    return _restore(restores.reopen(call.services, call.account, call.id(RestoreId)))


def _restore(opened: RestoreOpened) -> Restore:
    return Restore(
        id=opened.restore.id,
        account=opened.restore.account,
        snapshot=opened.restore.snapshot,
        opened_at=opened.restore.opened_at,
        grant=Grant.model_validate(opened.grant, from_attributes=True),
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/accounts/{account}/restores",
        open_restore,
        Who.OWNER,
        OpenRestore,
        Restore,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.OPEN_RESTORE,
    ),
    Endpoint(
        "GET",
        "/accounts/{account}/restores/{restore}",
        get_restore,
        Who.OWNER,
        NoBody,
        Restore,
        audited=Deed.OPEN_RESTORE,
    ),
)
