"""Every endpoint of the service, and those that are not JSON of ours."""

from typing import Any

import azure.functions as func

from shared.durable.register import Blueprint
from shared.operations.revocations import revocation_list
from shared.services import Services
from triggers import (
    accounts,
    audit,
    backups,
    customers,
    devices,
    drills,
    ledgers,
    restores,
    retention,
    slots,
    sweeps,
    tokens,
    users,
)
from triggers.answering import bind
from triggers.endpoint import Endpoint
from triggers.openapi import document

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    *tokens.ENDPOINTS,
    *customers.ENDPOINTS,
    *users.ENDPOINTS,
    *accounts.ENDPOINTS,
    *devices.ENDPOINTS,
    *slots.ENDPOINTS,
    *retention.ENDPOINTS,
    *sweeps.ENDPOINTS,
    *backups.ENDPOINTS,
    *restores.ENDPOINTS,
    *drills.ENDPOINTS,
    *audit.ENDPOINTS,
    *ledgers.ENDPOINTS,
)


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    for endpoint in ENDPOINTS:
        bind(bp, endpoint, services)

    def openapi(req: func.HttpRequest) -> func.HttpResponse:
        del req
        return func.HttpResponse(document(ENDPOINTS, services.settings.public_url), mimetype="application/json")

    def crl(req: func.HttpRequest) -> func.HttpResponse:
        del req
        return func.HttpResponse(revocation_list(services), mimetype="application/pkix-crl")

    bp.route(route="v1/devices.crl", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)(crl)
    bp.route(route="v1/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)(openapi)
    return bp
