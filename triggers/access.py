"""Who may call what, and whose things a caller sees: both come from the token, never from the body."""

from enum import Enum

from shared.domain.breach import refuse_if_locked
from shared.domain.errors import Forbidden, NotFound
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account, Bearer, Caller, DeviceCaller, Newcomer, Role, UserCaller
from shared.operations import customers
from shared.services import Services


class Who(Enum):
    """The audience of an endpoint."""

    ANYONE = "anyone, without a token"
    OPERATOR = "the provider's operators"
    STAFF = "the provider's people"
    AUDITOR = "the provider's operators and auditors"
    KEEPER = "the provider's operators, and the customer's administrators"
    PAYER = "the provider's operators and billing, and the customer's administrators"
    WATCHER = "the provider's operators and auditors, and the customer's administrators"
    PERSON = "every user, also one who must change the password first"
    ADMIN = "the customer's administrators"
    USER = "the customer's users"
    DEVICE = "a device, in its own account"
    OWNER = "the customer's users, and a device in its own account"


_ROLES = {
    Who.OPERATOR: {Role.OPERATOR},
    Who.STAFF: {Role.OPERATOR, Role.BILLING, Role.AUDITOR},
    Who.AUDITOR: {Role.OPERATOR, Role.AUDITOR},
    Who.KEEPER: {Role.OPERATOR, Role.ADMIN},
    Who.PAYER: {Role.OPERATOR, Role.BILLING, Role.ADMIN},
    Who.WATCHER: {Role.OPERATOR, Role.AUDITOR, Role.ADMIN},
    Who.PERSON: set(Role),
    Who.ADMIN: {Role.ADMIN},
    Who.USER: {Role.ADMIN, Role.MEMBER},
    Who.OWNER: {Role.ADMIN, Role.MEMBER},
}
_DEVICES = {Who.DEVICE, Who.OWNER}


class MustChangePassword(Forbidden):
    """The caller came with a first password, which somebody else has seen (N11)."""


def admit(who: Who, caller: Bearer) -> None:
    """Raises `Forbidden` unless `caller` belongs to the audience."""
    match caller:
        case Newcomer() if who is Who.PERSON:
            return
        case Newcomer():
            raise MustChangePassword("change your first password, then log in again")
        case UserCaller(role=role) if role in _ROLES.get(who, set()):
            return
        case DeviceCaller() if who in _DEVICES:
            return
        case _:
            raise Forbidden(f"this is for {who.value}")


def customer_for(caller: Caller, customer: CustomerId) -> CustomerId:
    """The customer, if it is the caller's or the caller the provider's: otherwise it does not exist."""
    if caller.customer not in {None, customer}:
        raise NotFound(f"there is no customer {customer}")
    return customer


def account_for(services: Services, caller: Caller, account: AccountId) -> Account:
    """The account, if it is the caller's: otherwise it does not exist."""
    if caller.customer is None or (isinstance(caller, DeviceCaller) and caller.account != account):
        raise NotFound(f"there is no account {account}")
    found = customers.get_account(services, caller.customer, account)
    if isinstance(caller, DeviceCaller):
        refuse_if_locked(found)  # people come in: they have to change what may be known
    return found
