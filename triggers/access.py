"""Who may call what, and whose things a caller sees: both come from the token, never from the body."""

from enum import Enum

from shared.domain.errors import Forbidden, NotFound
from shared.domain.ids import AccountId
from shared.domain.tenancy import Account, Caller, DeviceCaller, Role, UserCaller
from shared.operations import customers
from shared.services import Services


class Who(Enum):
    """The audience of an endpoint."""

    ANYONE = "anyone, without a token"
    OPERATOR = "the provider's operators"
    ADMIN = "the customer's administrators"
    USER = "the customer's users"
    DEVICE = "a device, in its own account"
    OWNER = "the customer's users, and a device in its own account"


_ROLES = {
    Who.OPERATOR: {Role.OPERATOR},
    Who.ADMIN: {Role.ADMIN},
    Who.USER: {Role.ADMIN, Role.MEMBER},
    Who.OWNER: {Role.ADMIN, Role.MEMBER},
}
_DEVICES = {Who.DEVICE, Who.OWNER}


def admit(who: Who, caller: Caller) -> None:
    """Raises `Forbidden` unless `caller` belongs to the audience."""
    match caller:
        case UserCaller(role=role) if role in _ROLES.get(who, set()):
            return
        case DeviceCaller() if who in _DEVICES:
            return
        case _:
            raise Forbidden(f"this is for {who.value}")


def account_for(services: Services, caller: Caller, account: AccountId) -> Account:
    """The account, if it is the caller's: otherwise it does not exist."""
    if caller.customer is None or (isinstance(caller, DeviceCaller) and caller.account != account):
        raise NotFound(f"there is no account {account}")
    return customers.get_account(services, caller.customer, account)
