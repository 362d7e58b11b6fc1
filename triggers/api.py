"""Every endpoint of the service, and the two that speak of the service itself."""

from typing import Any

import azure.functions as func

from shared.durable.register import Blueprint
from shared.services import Services
from triggers import accounts, audit, backups, customers, restores, tokens
from triggers.answering import bind
from triggers.endpoint import Endpoint
from triggers.openapi import document

ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    *tokens.ENDPOINTS,
    *customers.ENDPOINTS,
    *accounts.ENDPOINTS,
    *backups.ENDPOINTS,
    *restores.ENDPOINTS,
    *audit.ENDPOINTS,
)


def blueprint(services: Services) -> Blueprint:
    bp = Blueprint()
    for endpoint in ENDPOINTS:
        bind(bp, endpoint, services)

    def openapi(req: func.HttpRequest) -> func.HttpResponse:
        del req
        return func.HttpResponse(document(ENDPOINTS, services.settings.public_url), mimetype="application/json")

    bp.route(route="v1/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)(openapi)
    return bp
