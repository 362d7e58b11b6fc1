"""Incidents that the service opens by itself: each fault once, however often it is found."""

from dataclasses import dataclass

from shared.domain.ids import AccountId, CustomerId, IncidentId
from shared.domain.incidents import Incident, IncidentKind
from shared.services import Services


@dataclass(frozen=True, slots=True)
class Loss:
    """What a technician must know of data that is not there as it should be."""

    customer: CustomerId
    account: AccountId
    note: str


def raise_once(services: Services, loss: Loss) -> None:
    known = services.incidents.all(loss.customer)
    if any((each.account, each.kind, each.note) == (loss.account, IncidentKind.DATA_LOST, loss.note) for each in known):
        return
    services.incidents.insert(
        Incident(
            id=services.new(IncidentId),
            customer=loss.customer,
            account=loss.account,
            kind=IncidentKind.DATA_LOST,
            opened_at=services.now(),
            by="service",
            note=loss.note,
        )
    )
