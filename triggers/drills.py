"""Drills: evidence that backups can be restored."""

from http import HTTPStatus

from shared.api import drills as api
from shared.api.base import Page
from shared.domain.ids import DrillId
from shared.operations import drills
from shared.storage.records import Drill
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def report_drill(call: Call[api.ReportDrill]) -> api.Drill:
    """Keep what the calling device found when it restored some files to try a snapshot."""
    order = drills.ReportDrill(id=call.new(DrillId), device=call.device, **call.body.model_dump())
    return _drill(drills.report(call.services, order))


def list_drills(call: Call[NoBody]) -> Page[api.Drill]:
    """The account's drills, oldest first."""
    limit = call.limit()
    found = call.services.drills.page(call.account.id, after=call.after(), limit=limit)
    return page_of([_drill(drill) for drill in found], limit)


def _drill(drill: Drill) -> api.Drill:
    return api.Drill.model_validate(drill, from_attributes=True)


_DRILLS = "/accounts/{account}/drills"

ENDPOINTS = (
    Endpoint(
        "POST", _DRILLS, report_drill, Who.DEVICE, api.ReportDrill, api.Drill, status=HTTPStatus.CREATED, creates=True
    ),
    Endpoint("GET", _DRILLS, list_drills, Who.OWNER, NoBody, Page[api.Drill], pages=True),
)
