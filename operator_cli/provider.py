"""What an operator does over the service's API."""

from collections.abc import Iterator
from enum import StrEnum

from agent.patience import Patience
from agent.person import Person
from agent.replies import parse
from agent.tokens import make_nonce
from agent.transport import Transport
from shared.api.identity import CreateUser, User, UserCreated
from shared.api.ledgers import Charge, Incident
from shared.api.tenancy import Account, CreateAccount, CreateCustomer, Customer
from shared.domain.ids import CustomerId, UserId


class UserDeed(StrEnum):
    """What can be done to a customer's user."""

    DISABLE = "disable"
    ENABLE = "enable"
    DELIVERED = "delivered"


class Provider(Person):
    """The session of one of the provider's people."""

    def __init__(self, url: str, login: str, password: str, instruction: str | None = None) -> None:
        super().__init__(url, login, password, Transport(Patience()), instruction)

    def create_customer(self, name: str) -> Customer:
        return self._create("/customers", CreateCustomer(name=name), Customer, make_nonce())

    def create_account(self, customer: CustomerId, name: str) -> Account:
        return self._create(f"/customers/{customer}/accounts", CreateAccount(name=name), Account, make_nonce())

    def create_user(self, customer: CustomerId, user: CreateUser) -> UserCreated:
        return self._create(f"/customers/{customer}/users", user, UserCreated, make_nonce())

    def users(self, customer: CustomerId) -> Iterator[User]:
        return self._pages(f"/customers/{customer}/users", User)

    def charges(self, customer: CustomerId) -> Iterator[Charge]:
        return self._pages(f"/customers/{customer}/charges", Charge)

    def incidents(self, customer: CustomerId) -> Iterator[Incident]:
        return self._pages(f"/customers/{customer}/incidents", Incident)

    def do_to_user(self, customer: CustomerId, user: UserId, deed: UserDeed) -> User:
        return parse(self._post(_path(customer, user, deed), None, make_nonce()), User, self._api)

    def renew_password(self, customer: CustomerId, user: UserId) -> UserCreated:
        """A new first password."""
        return parse(self._post(_path(customer, user, "first-password"), None, make_nonce()), UserCreated, self._api)


def _path(customer: CustomerId, user: UserId, deed: str) -> str:
    return f"/customers/{customer}/users/{user}/{deed}"
