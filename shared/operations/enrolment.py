"""Enrolment codes: an administrator makes one, a device comes in with it and needs no password."""

import hashlib
from dataclasses import dataclass

from shared.domain.breach import refuse_if_locked
from shared.domain.enrolment import LIFETIME, EnrolmentCode, refuse_if_void, used
from shared.domain.errors import NotAuthenticated
from shared.domain.ids import DeviceId, UserId
from shared.domain.tenancy import Account, Device
from shared.identity.certificates import raw, read_request
from shared.identity.passwords import fresh_password
from shared.operations import customers, devices
from shared.operations.contention import until_unchanged
from shared.operations.devices import RegisterDevice
from shared.services import Services
from shared.storage.enrolment import CODE_ROW


@dataclass(frozen=True, slots=True)
class CodeMade:
    code: str
    """Shown once; only its hash is kept."""
    kept: EnrolmentCode


@dataclass(frozen=True, slots=True)
class Enrol:
    device: DeviceId
    code: str
    name: str
    platform: str
    csr: str


def make_code(services: Services, account: Account, by: UserId) -> CodeMade:
    code = fresh_password()
    kept = EnrolmentCode(_hash(code), account.id, account.customer, by, services.now() + LIFETIME)
    return CodeMade(code, services.codes.insert(kept).value)


def enrol(services: Services, order: Enrol) -> Device:
    """A new device in the account that the code is for. Of two with one code, one wins.

    Raises `NotAuthenticated`, `AccountLocked`. The device that won gets the same answer again.
    """
    key_sha256 = hashlib.sha256(raw(read_request(order.csr))).hexdigest()
    # Code before device: a crash here leaves a used code whose own device goes on with it, never two devices.
    code = until_unchanged(lambda: _use(services, order, key_sha256))
    assert code.device is not None, "a used code names its device"
    account = customers.get_account(services, code.customer, code.account)
    return devices.register(services, RegisterDevice(code.device, account, order.name, order.platform, order.csr))


def _use(services: Services, order: Enrol, key_sha256: str) -> EnrolmentCode:
    stored = services.codes.get(_hash(order.code), CODE_ROW)
    if stored is None:
        raise NotAuthenticated("there is no such enrolment code")
    account = customers.get_account(services, stored.value.customer, stored.value.account)
    refuse_if_locked(account)
    refuse_if_void(stored.value, account)
    new = used(stored.value, order.device, key_sha256, services.now())
    return stored.value if new == stored.value else services.codes.replace(stored, new).value


def _hash(code: str) -> str:
    """Of 99 random bits a plain hash is enough; case and blanks are forgiven."""
    return hashlib.sha256("".join(code.lower().split()).encode()).hexdigest()
