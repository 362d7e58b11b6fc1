"""Enrolment codes: an administrator makes one, a device comes in with it and needs no password."""

import hashlib
from dataclasses import dataclass, replace

from shared.domain.breach import refuse_if_locked
from shared.domain.enrolment import LIFETIME, EnrolmentCode, refuse_if_void, used
from shared.domain.errors import Conflict, NotAuthenticated
from shared.domain.ids import CodeId, DeviceId, UserId
from shared.domain.tenancy import Account, Device
from shared.identity.certificates import raw, read_request
from shared.identity.passwords import fresh_password
from shared.operations import customers, devices
from shared.operations.contention import until_unchanged
from shared.operations.devices import RegisterDevice
from shared.services import Services
from shared.storage.enrolment import CODE_ROW, CodeName
from shared.storage.tables import AlreadyThere, Changed


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


@dataclass(frozen=True, slots=True)
class MakeCode:
    id: CodeId
    account: Account
    by: UserId


def make_code(services: Services, order: MakeCode) -> CodeMade:
    """A code for one device. Until one came in, repeating the order brings another code in its place.

    Raises `Conflict` after that: whoever repeats it may not know that the code was used.
    """
    code, account = fresh_password(), order.account
    kept = EnrolmentCode(order.id, _hash(code), account.id, account.customer, order.by, services.now() + LIFETIME)
    # Name before code: a crash here leaves a name that leads to a code of another hash, or to none.
    services.code_names.insert(CodeName(kept.sha256, kept.account, kept.id, kept.expires_at))
    return CodeMade(code, until_unchanged(lambda: _put(services, kept)))


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


def _put(services: Services, kept: EnrolmentCode) -> EnrolmentCode:
    try:
        return services.codes.insert(kept).value
    except AlreadyThere:
        old = services.codes.get(kept.account, kept.id)
    if old is None:
        raise Changed("the code is gone")
    if old.value.device is not None:
        raise Conflict("a device has come in with this code already")
    return services.codes.replace(old, replace(old.value, sha256=kept.sha256)).value


def _use(services: Services, order: Enrol, key_sha256: str) -> EnrolmentCode:
    sha256 = _hash(order.code)
    name = services.code_names.get(sha256, CODE_ROW)
    stored = services.codes.get(name.value.account, name.value.code) if name else None
    if stored is None or stored.value.sha256 != sha256:
        raise NotAuthenticated("there is no such enrolment code")
    account = customers.get_account(services, stored.value.customer, stored.value.account)
    refuse_if_locked(account)
    refuse_if_void(stored.value, account)
    new = used(stored.value, order.device, key_sha256, services.now())
    return stored.value if new == stored.value else services.codes.replace(stored, new).value


def _hash(code: str) -> str:
    """Of 99 random bits a plain hash is enough; case and blanks are forgiven."""
    return hashlib.sha256("".join(code.lower().split()).encode()).hexdigest()
