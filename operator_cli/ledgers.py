"""`charges` and `incidents`: what is kept of a customer beside its vaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import typer

from agent.cli.administering import moment
from agent.cli.output import Outcome, columns, printable
from agent.cli.perform import performing
from operator_cli.accounts import NAME
from operator_cli.signing_in import AsJson, CustomerArgument, Operator, PasswordFile, ServiceUrl, provider
from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId, IncidentId

charges = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What a customer's certificates cost.")
incidents = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What a technician must look at.")


@dataclass(frozen=True, slots=True)
class ChargeLine:
    at: datetime
    kind: str
    amount_eur: str
    """Decimal, such as `99.00`."""
    account: AccountId
    device: DeviceId
    certificate: CertificateId


@dataclass(frozen=True, slots=True)
class ChargeList:
    charges: tuple[ChargeLine, ...]


@dataclass(frozen=True, slots=True)
class IncidentLine:
    opened_at: datetime
    kind: str
    id: IncidentId
    account: AccountId
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class IncidentList:
    incidents: tuple[IncidentLine, ...]


@charges.command("list")
def list_charges(
    customer: CustomerArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List a customer's charges, oldest first."""
    with performing(as_json=as_json, program=NAME) as say:
        known = provider(service, operator, password_file).charges(CustomerId.parse(customer))
        lines = (ChargeLine(c.at, c.kind.value, str(c.amount_eur), c.account, c.device, c.certificate) for c in known)
        say(Outcome(ChargeList(tuple(lines)), _charge_lines))


@incidents.command("list")
def list_incidents(
    customer: CustomerArgument,
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """List a customer's incidents, oldest first."""
    with performing(as_json=as_json, program=NAME) as say:
        known = provider(service, operator, password_file).incidents(CustomerId.parse(customer))
        lines = (IncidentLine(i.opened_at, i.kind.value, i.id, i.account, i.by, i.note) for i in known)
        say(Outcome(IncidentList(tuple(lines)), _incident_lines))


def _charge_lines(found: ChargeList) -> Iterator[str]:
    rows = ((moment(c.at), c.kind, c.amount_eur, c.account, c.device) for c in found.charges)
    return columns([("WHEN", "WHAT", "EUR", "ACCOUNT", "DEVICE"), *rows])


def _incident_lines(found: IncidentList) -> Iterator[str]:
    rows = ((moment(i.opened_at), i.kind, i.id, i.account, i.by, printable(i.note)) for i in found.incidents)
    return columns([("OPENED", "KIND", "INCIDENT", "ACCOUNT", "BY", "NOTE"), *rows])
