"""What the provider sets up for a customer: the tenant and its accounts."""

from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account, Customer
from shared.operations import account_keys
from shared.services import Services
from shared.storage.tables import AlreadyThere, Stored
from shared.storage.tenants import CUSTOMERS_PARTITION


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
    """A vault of its own: two containers, a state, a key, and then the account that points to them."""
    get_customer(services, customer)
    there = services.accounts.get(customer, account)
    if there is not None:
        return there.value  # what follows would undo a revocation of its grants
    wanted = Account(account, customer, name, services.now())
    # Containers, state and key before the account: a crash here leaves an empty vault, never an account without one.
    services.vault_blobs.create_containers(account)
    services.signer.enforce(wanted, services.now())
    services.vaults.create(account)
    account_keys.current(services, account)
    try:
        return services.accounts.insert(wanted).value
    except AlreadyThere:
        return get_account(services, customer, account)


def get_account(services: Services, customer: CustomerId, account: AccountId) -> Account:
    """Another customer's account does not exist for this one."""
    return stored_account(services, customer, account).value


def stored_account(services: Services, customer: CustomerId, account: AccountId) -> Stored[Account]:
    stored = services.accounts.get(customer, account)
    if stored is None:
        raise NotFound(f"there is no account {account}")
    return stored
