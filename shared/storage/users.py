"""Users, the claim that makes a login name unique, their sessions, and the tally of wrong passwords."""

from dataclasses import dataclass

from shared.domain.families import Family
from shared.domain.ids import CustomerId, UserId
from shared.domain.lockout import Tally
from shared.domain.tenancy import User
from shared.storage.mapping import Mapper

PROVIDER = "provider"
"""The partition of the provider's own users; a customer's is the customer's id."""
LOGIN_ROW = "login"
FAMILY_ROW = "family"
TALLY_ROW = "tally"


@dataclass(frozen=True, slots=True)
class Login:
    """Who owns a login name, all over the service."""

    name: str
    tenant: str
    user: UserId


def tenant_of(customer: CustomerId | None) -> str:
    return customer or PROVIDER


USERS = Mapper("users", User, key=lambda user: (tenant_of(user.customer), user.id))
LOGINS = Mapper("logins", Login, key=lambda login: (login.name, LOGIN_ROW))
FAMILIES = Mapper("families", Family, key=lambda family: (family.id, FAMILY_ROW))
TALLIES = Mapper("tallies", Tally, key=lambda tally: (tally.subject, TALLY_ROW))
