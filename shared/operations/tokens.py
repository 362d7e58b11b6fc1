"""The token endpoint: a user's password or a device's assertion against a short-lived access token."""

import hashlib
import secrets

from shared.domain.errors import Malformed, NotAuthenticated
from shared.domain.ids import AccountId, DeviceId
from shared.domain.tenancy import Caller, Device, DeviceCaller, UserCaller
from shared.identity import passwords, tokens
from shared.operations import devices
from shared.services import Services
from shared.storage.records import UsedAssertion
from shared.storage.tables import AlreadyThere
from shared.storage.users import LOGIN_ROW

TOKEN_PATH = "/api/v1/token"  # noqa: S105 -- a path


def for_password(services: Services, login: str, password: str) -> str:
    """An access token. Raises `NotAuthenticated`, with the same words whether name or password is wrong."""
    name = login.strip().lower()
    claim = services.logins.get(name, LOGIN_ROW) if _is_plausible(name) else None
    user = claim and services.users.get(claim.value.tenant, claim.value.user)
    if not passwords.is_right(password, user.value.password_hash if user else None) or user is None:
        raise NotAuthenticated("user name or password is wrong")
    return _issue(services, UserCaller(user.value.id, user.value.customer, user.value.role))


def for_assertion(services: Services, assertion: str) -> str:
    """An access token for the device that signed the assertion (RFC 7523)."""
    account, device = tokens.read_subject(assertion)
    row = _device(services, account, device)
    audience = services.settings.public_url + TOKEN_PATH
    proven = tokens.check_assertion(assertion, devices.verify_key(row), account, device, audience, services.now())
    _use_once(services, proven)
    return _issue(services, DeviceCaller(row.id, row.account, row.customer))


def caller_of(services: Services, token: str) -> Caller:
    return tokens.check(token, services.keyring, services.settings.public_url, services.now())


def _device(services: Services, account: AccountId, device: DeviceId) -> Device:
    stored = services.devices.get(account, device)
    if stored is None:
        raise NotAuthenticated("this device is not registered")
    return stored.value


def _use_once(services: Services, assertion: tokens.Assertion) -> None:
    if not 8 <= len(assertion.jti) <= 256:
        raise Malformed("client_assertion", "its `jti` must have 8 to 256 characters")
    # A `jti` is unique among its issuer's only (RFC 7519 §4.1.7): devices do not know of each other's.
    jti = hashlib.sha256(f"{assertion.device}.{assertion.jti}".encode()).hexdigest()
    try:
        services.assertions.insert(UsedAssertion(assertion.account, jti, assertion.expires_at))
    except AlreadyThere:
        raise NotAuthenticated("this client assertion was used before") from None


def _issue(services: Services, caller: Caller) -> str:
    return tokens.issue(caller, services.keyring, services.settings.public_url, services.now(), secrets.token_hex(16))


def _is_plausible(login: str) -> bool:
    """Only such names were ever given out; others would be no good as a table key."""
    return 3 <= len(login) <= 100 and all(c.isalnum() or c in ".@_+-" for c in login) and login.isascii()
