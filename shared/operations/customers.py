"""What the provider sets up for a customer: the tenant, its accounts, its users."""

from dataclasses import dataclass, replace

from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import AccountId, CustomerId, UserId
from shared.domain.tenancy import Account, Customer, Role, User
from shared.identity.passwords import fresh_password, hash_password
from shared.services import Services
from shared.storage.tables import AlreadyThere
from shared.storage.tenants import CUSTOMERS_PARTITION
from shared.storage.users import LOGIN_ROW, Login, tenant_of


@dataclass(frozen=True, slots=True)
class CreateUser:
    id: UserId
    customer: CustomerId | None
    name: str
    login: str
    role: Role


@dataclass(frozen=True, slots=True)
class UserCreated:
    user: User
    password: str
    """Shown once; only its hash is kept."""


def create_customer(services: Services, customer: CustomerId, name: str) -> Customer:
    """Idempotent by the identity: a repeated call answers what the first one made."""
    wanted = Customer(customer, name, services.now())
    try:
        return services.customers.insert(wanted).value
    except AlreadyThere:
        return get_customer(services, customer)


def get_customer(services: Services, customer: CustomerId) -> Customer:
    stored = services.customers.get(CUSTOMERS_PARTITION, customer)
    if stored is None:
        raise NotFound(f"there is no customer {customer}")
    return stored.value


def create_account(services: Services, account: AccountId, customer: CustomerId, name: str) -> Account:
    """A vault of its own: two containers, a state, and then the account that points to them."""
    get_customer(services, customer)
    wanted = Account(account, customer, name, services.now())
    # Containers and state before the account: a crash here leaves an empty vault, never an account without one.
    services.vault_blobs.create_containers(account)
    services.vaults.create(account)
    try:
        return services.accounts.insert(wanted).value
    except AlreadyThere:
        return get_account(services, customer, account)


def get_account(services: Services, customer: CustomerId, account: AccountId) -> Account:
    """Another customer's account does not exist for this one."""
    stored = services.accounts.get(customer, account)
    if stored is None:
        raise NotFound(f"there is no account {account}")
    return stored.value


def create_user(services: Services, order: CreateUser) -> UserCreated:
    """A named person with a first password. Repeating the order gives the same user a new first password (N11)."""
    if order.customer is not None:
        get_customer(services, order.customer)
    password = fresh_password()
    user = User(
        id=order.id,
        customer=order.customer,
        name=order.name,
        login=order.login,
        role=order.role,
        password_hash=hash_password(password),
        created_at=services.now(),
    )
    # Login before user: a crash here leaves a name that is taken, never two users with one name.
    _claim(services, Login(order.login, tenant_of(order.customer), order.id))
    return UserCreated(_put(services, user), password)


def _claim(services: Services, login: Login) -> None:
    try:
        services.logins.insert(login)
    except AlreadyThere:
        owner = services.logins.get(login.name, LOGIN_ROW)
        if owner is None or owner.value != login:
            raise Conflict(f"the login name {login.name!r} is taken") from None


def _put(services: Services, user: User) -> User:
    try:
        return services.users.insert(user).value
    except AlreadyThere:
        old = services.users.get(tenant_of(user.customer), user.id)
        assert old is not None, "users are never deleted"
        return services.users.replace(old, replace(old.value, password_hash=user.password_hash)).value
