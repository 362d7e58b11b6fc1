"""A customer's accounts, their devices and key slots."""

import base64
from http import HTTPStatus

from shared.api import tenancy as api
from shared.api.base import Page
from shared.domain import tenancy
from shared.domain.audit import Deed
from shared.domain.errors import Malformed
from shared.domain.ids import DeviceId
from shared.operations import devices
from shared.operations.devices import PutSlot, RegisterDevice
from shared.storage.tables import Stored
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def list_accounts(call: Call[NoBody]) -> Page[api.Account]:
    """The customer's accounts."""
    limit, customer = call.limit(), call.who.customer
    assert customer is not None, "the audience are the customer's own"
    found = call.services.accounts.page(customer, after=call.after(), limit=limit)
    return page_of([api.Account.model_validate(a, from_attributes=True) for a in found], limit)


def register_device(call: Call[api.RegisterDevice]) -> api.Device:
    """A new device in an account."""
    order = RegisterDevice(
        id=call.new(DeviceId),
        account=call.account,
        name=call.body.name,
        platform=call.body.platform,
        public_key=_decoded("public_key", call.body.public_key),
    )
    return _device(devices.register(call.services, order))


def list_devices(call: Call[NoBody]) -> Page[api.Device]:
    """The account's devices."""
    limit = call.limit()
    found = call.services.devices.page(call.account.id, after=call.after(), limit=limit)
    return page_of([_device(device) for device in found], limit)


def get_device(call: Call[NoBody]) -> api.Device:
    """One device."""
    return _device(devices.get(call.services, call.account.id, call.id(DeviceId)).value)


def list_slots(call: Call[NoBody]) -> api.Slots:
    """Sealed copies of the account's master key; none of them opens without a key of the customer's."""
    account = call.account.id
    names = [slot.name for slot in call.services.slots.all(account)]
    found = [call.services.slots.get(account, name) for name in names]
    return api.Slots(slots=[_slot(slot) for slot in found if slot is not None])


def put_slot(call: Call[api.PutSlot]) -> api.Slot:
    """Keep a sealed copy: with `If-None-Match: *` a new one, with `If-Match` in the place of the one it names."""
    name = call.part("slot")
    if not devices.is_slot_name(name):
        raise Malformed("slot", "is `recovery`, `passphrase` or `device-<device>`")
    order = PutSlot(call.account.id, name, _decoded("sealed", call.body.sealed), _precondition(call))
    return _slot(devices.put_slot(call.services, order))


def _precondition(call: Call[api.PutSlot]) -> str | None:
    match call.header("If-Match"), call.header("If-None-Match"):
        case (str(etag), None):
            return etag
        case (None, "*"):
            return None
        case _:
            raise Malformed("If-Match", "say either `If-None-Match: *` or `If-Match: <etag>`")


def _device(device: tenancy.Device) -> api.Device:
    return api.Device(
        id=device.id,
        account=device.account,
        name=device.name,
        platform=device.platform,
        public_key=base64.b64encode(device.public_key).decode(),
        registered_at=device.registered_at,
        last_snapshot_at=device.last_snapshot_at,
    )


def _slot(stored: Stored[tenancy.Slot]) -> api.Slot:
    slot = stored.value
    sealed = base64.b64encode(slot.sealed).decode()
    return api.Slot(name=slot.name, sealed=sealed, changed_at=slot.changed_at, etag=stored.etag)


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed(field, "is not base 64") from None


ENDPOINTS = (
    Endpoint("GET", "/accounts", list_accounts, Who.USER, NoBody, Page[api.Account], pages=True),
    Endpoint(
        "POST",
        "/accounts/{account}/devices",
        register_device,
        Who.USER,
        api.RegisterDevice,
        api.Device,
        status=HTTPStatus.CREATED,
        creates=True,
        audited=Deed.REGISTER_DEVICE,
    ),
    Endpoint("GET", "/accounts/{account}/devices", list_devices, Who.OWNER, NoBody, Page[api.Device], pages=True),
    Endpoint("GET", "/accounts/{account}/devices/{device}", get_device, Who.OWNER, NoBody, api.Device),
    Endpoint("GET", "/accounts/{account}/slots", list_slots, Who.OWNER, NoBody, api.Slots, audited=Deed.READ_SLOTS),
    Endpoint(
        "PUT", "/accounts/{account}/slots/{slot}", put_slot, Who.OWNER, api.PutSlot, api.Slot, audited=Deed.CHANGE_SLOT
    ),
)
