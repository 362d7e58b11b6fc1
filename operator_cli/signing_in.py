"""How somebody of the provider's comes in: with a password each time, and nothing that is kept."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.home import password
from agent.config import parse_service_url
from operator_cli.provider import Provider

ServiceUrl = Annotated[str, typer.Option("--service", envvar="HORT_SERVICE", help="The service's URL.")]
Operator = Annotated[str, typer.Option("--operator", envvar="HORT_OPERATOR", help="Your own login name.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="Its first line; else HORT_PASSWORD, else asked.")
]
Instruction = Annotated[
    str | None, typer.Option("--instruction", help="The customer's instruction that this rests on, for the audit log.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
CustomerArgument = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")]
AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id.")]


def provider(service: str, operator: str, password_file: Path | None, instruction: str | None = None) -> Provider:
    return Provider(parse_service_url(service), operator, password(password_file, operator), instruction)
