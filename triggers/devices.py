"""An account's devices: how they come in, stay in, and are put out."""

import base64
from http import HTTPStatus

from shared.api import tenancy as api
from shared.api.base import Page
from shared.domain import tenancy
from shared.domain.audit import Act, Deed
from shared.domain.enrolment import CodeState, EnrolmentCode, state_of
from shared.domain.errors import NotFound
from shared.domain.ids import CertificateId, CodeId, DeviceId
from shared.operations import audit, devices, enrolment, revocations
from shared.operations.devices import RegisterDevice, RenewCertificate
from shared.operations.enrolment import Enrol, MakeCode
from triggers import auditing
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of, page_where


def make_code(call: Call[NoBody]) -> api.EnrolmentCode:
    """A code by which one device comes into the account within a day; shown once."""
    order = MakeCode(call.new(CodeId), call.account, call.user.id)
    made = enrolment.make_code(call.services, order)
    kept = made.kept
    return api.EnrolmentCode(id=kept.id, code=made.code, account=kept.account, expires_at=kept.expires_at)


def list_codes(call: Call[NoBody]) -> Page[api.KnownCode]:
    """The account's enrolment codes of the last months, oldest first, without what they say; `state` filters them."""
    wanted, limit = call.filter("state", CodeState), call.limit()
    known = (_known(call, code) for code in call.services.codes.all(call.account.id, past=call.after()))
    return page_of(page_where(known, lambda code: wanted in {None, code.state}, limit), limit)


def _known(call: Call[NoBody], code: EnrolmentCode) -> api.KnownCode:
    return api.KnownCode(
        id=code.id,
        account=code.account,
        made_by=code.made_by,
        expires_at=code.expires_at,
        state=state_of(code, call.account, call.services.now()),
        device=code.device,
    )


def enrol(call: Call[api.Enrol]) -> api.Device:
    """A new device, let in by an enrolment code; the same device may repeat it."""
    body = call.body
    order = Enrol(call.services.new(DeviceId), body.code, body.name, body.platform, body.csr)
    device = enrolment.enrol(call.services, order)
    # Here, for nobody was known when the call began: whose code it is, only the code says.
    act = Act(
        at=call.services.now(),
        actor=f"device {device.id}",
        deed=Deed.REGISTER_DEVICE,
        subject=f"/accounts/{device.account}/devices/{device.id}",
        address=call.address or "local",
        outcome=auditing.DONE,
    )
    audit.record(call.services, device.customer, act)
    return _device(device)


def register_device(call: Call[api.RegisterDevice]) -> api.Device:
    """A new device in an account, with a certificate for two years."""
    order = RegisterDevice(call.new(DeviceId), call.account, call.body.name, call.body.platform, call.body.csr)
    return _device(devices.register(call.services, order))


def list_devices(call: Call[NoBody]) -> Page[api.Device]:
    """The account's devices."""
    limit = call.limit()
    found = call.services.devices.page(call.account.id, after=call.after(), limit=limit)
    return page_of([_device(device) for device in found], limit)


def get_device(call: Call[NoBody]) -> api.Device:
    """One device."""
    return _device(devices.get(call.services, call.account.id, call.id(DeviceId)).value)


def renew_certificate(call: Call[api.RenewCertificate]) -> api.Device:
    """The calling device's next certificate, in the last sixty days of the one it has."""
    if call.device.id != call.id(DeviceId):
        raise NotFound(f"there is no device {call.id(DeviceId)}")
    order = RenewCertificate(call.new(CertificateId), call.device.account, call.device.id, call.body.csr)
    return _device(devices.renew(call.services, order))


def revoke_device(call: Call[NoBody]) -> api.Device:
    """The device is out at once and for ever: lost, stolen or replaced (N16)."""
    return _device(revocations.revoke_device(call.services, call.account, call.id(DeviceId)))


def _device(device: tenancy.Device) -> api.Device:
    newest = device.certificates[0]
    return api.Device(
        id=device.id,
        account=device.account,
        name=device.name,
        platform=device.platform,
        public_key=base64.b64encode(device.public_key).decode(),
        state=device.state,
        certificate=newest.pem,
        certificate_until=newest.not_after,
        registered_at=device.registered_at,
        revoked_at=device.revoked_at,
        last_snapshot_at=device.last_snapshot_at,
        protected_at=device.protected_at,
    )


_CODES = "/accounts/{account}/enrolment-codes"
_DEVICES = "/accounts/{account}/devices"
_DEVICE = f"{_DEVICES}/{{device}}"

ENDPOINTS = (
    Endpoint(
        "POST",
        _CODES,
        make_code,
        Who.ADMIN,
        NoBody,
        api.EnrolmentCode,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.MAKE_CODE,
    ),
    Endpoint("GET", _CODES, list_codes, Who.ADMIN, NoBody, Page[api.KnownCode], pages=True, filters=("state",)),
    Endpoint("POST", "/enrolments", enrol, Who.ANYONE, api.Enrol, api.Device, status=HTTPStatus.CREATED),
    Endpoint(
        "POST",
        _DEVICES,
        register_device,
        Who.USER,
        api.RegisterDevice,
        api.Device,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.REGISTER_DEVICE,
    ),
    Endpoint("GET", _DEVICES, list_devices, Who.OWNER, NoBody, Page[api.Device], pages=True),
    Endpoint("GET", _DEVICE, get_device, Who.OWNER, NoBody, api.Device),
    Endpoint(
        "POST",
        f"{_DEVICE}/certificates",
        renew_certificate,
        Who.DEVICE,
        api.RenewCertificate,
        api.Device,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.RENEW_CERTIFICATE,
    ),
    Endpoint("POST", f"{_DEVICE}/revoke", revoke_device, Who.ADMIN, NoBody, api.Device, audited=Deed.REVOKE_DEVICE),
)
