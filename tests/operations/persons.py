"""A customer and its users, who log in and choose passwords."""

import secrets
from dataclasses import dataclass, field

from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import Customer, Role, User
from shared.operations import customers, passwords, tokens, users
from shared.operations.passwords import ChangePassword, Proof
from shared.operations.tokens import Granted
from shared.operations.users import CreateUser
from shared.services import Services

ADDRESS = "192.0.2.1:40000"


@dataclass(slots=True)
class Person:
    """A user with the password that is good now."""

    services: Services
    id: UserId
    customer: CustomerId | None
    login: str
    password: str = field(repr=False)

    def row(self) -> User:
        return users.get_user(self.services, self.customer, self.id).value

    def log_in(self, password: str | None = None, address: str | None = None) -> Granted:
        proof = Proof(self.login, self.password if password is None else password, address)
        return tokens.for_password(self.services, proof)

    def change(self, new: str, old: str | None = None) -> User:
        order = ChangePassword(self.id, self.customer, self.password if old is None else old, new, None)
        changed = passwords.change(self.services, order)
        self.password = new
        return changed


def ordered(services: Services, customer: CustomerId | None, login: str = "", name: str = "Anna Muster") -> CreateUser:
    return CreateUser(services.new(UserId), customer, name, login or f"anna.{secrets.token_hex(8)}@m.ch", Role.ADMIN)


def firm(services: Services) -> Customer:
    return customers.create_customer(services, services.new(CustomerId), "Muster GmbH")


def newcomer(services: Services, customer: CustomerId | None = None) -> Person:
    """A user who has just been given a first password."""
    made = users.create_user(services, ordered(services, customer))
    return Person(services, made.user.id, customer, made.user.login, made.password)


def person(services: Services, customer: CustomerId | None = None) -> Person:
    """A user with a password of their own."""
    made = newcomer(services, customer)
    made.change(secrets.token_hex(8))
    return made
