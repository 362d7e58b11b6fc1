"""What an operator does over the service's API."""

from agent.credentials import Password
from agent.patience import Patience
from agent.service import Service
from agent.tokens import make_nonce
from agent.transport import Transport
from shared.api.identity import CreateUser, UserCreated
from shared.api.tenancy import Account, CreateAccount, CreateCustomer, Customer
from shared.domain.ids import CustomerId


class Provider(Service):
    """One operator's session."""

    def __init__(self, url: str, login: str, password: str) -> None:
        super().__init__(url, Password(login, password), Transport(Patience()))

    def create_customer(self, name: str) -> Customer:
        return self._create("/customers", CreateCustomer(name=name), Customer, make_nonce())

    def create_account(self, customer: CustomerId, name: str) -> Account:
        return self._create(f"/customers/{customer}/accounts", CreateAccount(name=name), Account, make_nonce())

    def create_user(self, customer: CustomerId, user: CreateUser) -> UserCreated:
        return self._create(f"/customers/{customer}/users", user, UserCreated, make_nonce())
