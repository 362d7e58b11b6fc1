"""Keeps every privileged act: who, what, on what, from where, how it ended, on whose instruction (G6)."""

from typing import Any

import azure.functions as func

from shared.api.base import Reply
from shared.domain.audit import Act
from shared.domain.errors import Malformed
from shared.domain.ids import CustomerId
from shared.domain.tenancy import Bearer, DeviceCaller
from shared.operations import audit
from shared.services import Services
from shared.storage.users import PROVIDER
from triggers.call import address_of, header
from triggers.endpoint import Endpoint

DONE = "done"
MAX_INSTRUCTION = 200
MAX_SUBJECT = 300


def keep(
    endpoint: Endpoint[Any, Any],
    services: Services,
    caller: Bearer | None,
    req: func.HttpRequest,
    said: Reply,
    outcome: str,
) -> None:
    """One record, in the chain of the customer whom the act concerns; nothing for acts that are not privileged."""
    if endpoint.audited is None or caller is None:
        return
    act = Act(
        at=services.now(),
        actor=f"{'device' if isinstance(caller, DeviceCaller) else 'user'} {caller.id}",
        deed=endpoint.audited,
        subject=_subject(endpoint, req, said),
        address=address_of(req) or "local",
        outcome=outcome,
        instruction=_instruction(req),
    )
    audit.record(services, _tenant(caller, req), act)


def _tenant(caller: Bearer, req: func.HttpRequest) -> str:
    """A caller's own customer; for the provider's people the customer that the path names."""
    if caller.customer is not None:
        return caller.customer
    try:
        return CustomerId.parse(req.route_params.get("customer", ""))
    except Malformed:
        return PROVIDER


def _subject(endpoint: Endpoint[Any, Any], req: func.HttpRequest, said: Reply) -> str:
    path = endpoint.path.format_map(req.route_params)
    made = getattr(said, "id", None) if endpoint.creates else None
    return (path if made is None else f"{path}/{made}")[:MAX_SUBJECT]


def _instruction(req: func.HttpRequest) -> str | None:
    given = header(req, "Hort-Instruction")
    if given is not None and len(given) > MAX_INSTRUCTION:
        raise Malformed("Hort-Instruction", f"has at most {MAX_INSTRUCTION} characters")
    return given
