"""The token endpoint: a password, a refresh token or a device's assertion against a short-lived access token."""

import hashlib
import secrets
from dataclasses import dataclass, field

from shared.domain.errors import Malformed, NotAuthenticated
from shared.domain.ids import AccountId, CustomerId, DeviceId, UserId
from shared.domain.tenancy import Bearer, Device, DeviceCaller, DeviceState, Newcomer, User, UserCaller, UserState
from shared.identity import tokens
from shared.operations import devices, refreshing, refusals, users
from shared.operations.passwords import Proof, prove
from shared.services import Services
from shared.storage.records import UsedAssertion
from shared.storage.tables import AlreadyThere
from shared.storage.users import tenant_of

TOKEN_PATH = "/api/v1/token"  # noqa: S105 -- a path


@dataclass(frozen=True, slots=True)
class Granted:
    """What a user gets to go on with."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    """None for who must change the password first: there is nothing to go on with."""


def for_password(services: Services, proof: Proof) -> Granted:
    """Raises `LockedOut`, or `NotAuthenticated` with the same words whether name or password is wrong."""
    user = prove(services, proof).value
    if user.must_change_password:
        users.confirm_delivery(services, user.customer, user.id)
        return Granted(_issue(services, Newcomer(user.id, user.customer, user.epoch)), None)
    return Granted(_issue(services, _caller(user)), refreshing.begin(services, user))


def for_refresh(services: Services, refresh_token: str, address: str | None = None) -> Granted:
    """Another access token and the next refresh token. Raises `NotAuthenticated`."""
    renewed = refreshing.renew(services, refresh_token, address)
    family = renewed.family
    user = _standing(services, family.user, family.customer, family.epoch)
    return Granted(_issue(services, _caller(user)), renewed.token)


def for_assertion(services: Services, assertion: str, address: str | None = None) -> str:
    """An access token for the device that signed the assertion (RFC 7523)."""
    account, device = tokens.read_subject(assertion)
    row = _registered(services, account, device)
    try:
        _prove(services, row, assertion)
    except NotAuthenticated:
        refusals.assertion(services, row, address)
        raise
    return _issue(services, DeviceCaller(row.id, row.account, row.customer, row.epoch))


def caller_of(services: Services, token: str) -> Bearer:
    """Who sent this token. Raises `NotAuthenticated` with the reason."""
    if services.entra is not None and services.entra.claims_to_have_issued(token):
        return services.entra.check(token, services.now())
    return still_valid(services, tokens.check(token, services.keyring, services.settings.public_url, services.now()))


def still_valid(services: Services, caller: Bearer) -> Bearer:
    """The same caller, unless something ended its tokens since. Raises `NotAuthenticated`."""
    match caller:
        case UserCaller() | Newcomer():
            _standing(services, caller.id, caller.customer, caller.epoch)
        case DeviceCaller():
            if _device(services, caller.account, caller.id).epoch != caller.epoch:
                raise NotAuthenticated("this session of the device has ended")
    return caller


def _standing(services: Services, user: UserId, customer: CustomerId | None, epoch: int) -> User:
    stored = services.users.get(tenant_of(customer), user)
    if stored is None or stored.value.state is UserState.DISABLED or stored.value.epoch != epoch:
        raise NotAuthenticated("this session has ended: log in again")
    return stored.value


def _caller(user: User) -> UserCaller:
    return UserCaller(user.id, user.customer, user.role, user.epoch)


def _device(services: Services, account: AccountId, device: DeviceId) -> Device:
    found = _registered(services, account, device)
    if found.state is DeviceState.REVOKED:
        raise NotAuthenticated("this device is revoked")
    return found


def _registered(services: Services, account: AccountId, device: DeviceId) -> Device:
    stored = services.devices.get(account, device)
    if stored is None:
        raise NotAuthenticated("this device is not registered")
    return stored.value


def _prove(services: Services, device: Device, assertion: str) -> None:
    audience = services.settings.public_url + TOKEN_PATH
    key = devices.assertion_key(services, device, tokens.read_thumbprint(assertion))
    _use_once(services, tokens.check_assertion(assertion, key, device.account, device.id, audience, services.now()))


def _use_once(services: Services, assertion: tokens.Assertion) -> None:
    if not 8 <= len(assertion.jti) <= 256:
        raise Malformed("client_assertion", "its `jti` must have 8 to 256 characters")
    # A `jti` is unique among its issuer's only (RFC 7519 §4.1.7): devices do not know of each other's.
    jti = hashlib.sha256(f"{assertion.device}.{assertion.jti}".encode()).hexdigest()
    try:
        services.assertions.insert(UsedAssertion(assertion.account, jti, assertion.expires_at))
    except AlreadyThere:
        raise NotAuthenticated("this client assertion was used before") from None


def _issue(services: Services, caller: Bearer) -> str:
    return tokens.issue(caller, services.keyring, services.settings.public_url, services.now(), secrets.token_hex(16))
