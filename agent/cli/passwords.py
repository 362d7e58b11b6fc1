"""`hort password`: another password for a user."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.cli.home import new_password, password
from agent.cli.output import Outcome
from agent.config import parse_service_url
from agent.credentials import Password
from agent.passwords import change_password
from agent.patience import Patience
from agent.service import Service
from agent.transport import Transport


@dataclass(frozen=True, slots=True)
class Changed:
    """The document of `password`."""

    service: str
    login: str


def change(service_url: str, login: str, old_file: Path | None, new_file: Path | None) -> Outcome[Changed]:
    url = parse_service_url(service_url)

    def service_with(password: str) -> Service:
        return Service(url, Password(login, password), Transport(Patience()))

    change_password(service_with, password(old_file, login), new_password(new_file))
    return Outcome(Changed(url, login), _lines)


def _lines(changed: Changed) -> Iterator[str]:
    yield f"The password of {changed.login} is changed; wherever else you were logged in, you are not any more."
