"""How an administrator comes in from any machine: with a password each time, and nothing that is kept."""

from dataclasses import dataclass
from pathlib import Path

from agent.cli.home import find_home, password
from agent.config import Registration, parse_service_url
from agent.enrolment import choose_account
from agent.patience import Patience
from agent.person import Person
from agent.transport import Transport
from shared.api.tenancy import Account
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the user said on the command line."""

    service: str | None
    login: str
    password_file: Path | None
    account: str | None


def come_in(wish: SignIn) -> tuple[Person, Account]:
    """The service as this person, and the account that is meant: this device's own, unless told otherwise."""
    here = find_home().registration_if_any()
    url = _url(wish, here)
    person = Person(url, wish.login, password(wish.password_file, wish.login), Transport(Patience()))
    accounts = person.accounts()
    chosen = choose_account(accounts, _wanted(wish, here, url))
    return person, next(account for account in accounts if account.id == chosen)


def _url(wish: SignIn, here: Registration | None) -> str:
    told = wish.service or (here.service if here else None)
    if told is None:
        raise Malformed("service", "give the service's URL with --service")
    return parse_service_url(told)


def _wanted(wish: SignIn, here: Registration | None, url: str) -> AccountId | None:
    if wish.account is not None:
        return AccountId.parse(wish.account)
    return here.account if here is not None and here.service == url else None
