"""Key slots of an account, the test of its recovery kit, and the provider's key around them."""

import base64

from shared.api import tenancy as api
from shared.domain.audit import Deed
from shared.domain.errors import Forbidden, Malformed, NotFound
from shared.domain.ids import AccountId, CustomerId, DeviceId
from shared.domain.tenancy import Caller, DeviceCaller
from shared.operations import account_keys, customers, slots
from shared.operations.slots import KitTested, PutSlot
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint


def list_slots(call: Call[NoBody]) -> api.Slots:
    """Sealed copies of the account's master key; none of them opens without a key of the customer's."""
    return api.Slots(slots=[_slot(slot) for slot in slots.all_of(call.services, call.account.id)])


def put_slot(call: Call[api.PutSlot]) -> api.Slot:
    """Keep a sealed copy: with `If-None-Match: *` a new one, with `If-Match` in the place of the one it names."""
    name = call.part("slot")
    if not slots.is_slot_name(name):
        raise Malformed("slot", "is `recovery`, `passphrase` or `device-<device>`")
    order = PutSlot(call.account.id, name, _decoded("sealed", call.body.sealed), _precondition(call))
    _must_be_allowed(call.who, order)
    return _slot(slots.put(call.services, order))


def remove_slot(call: Call[NoBody]) -> api.SlotRemoved:
    """The passphrase's slot goes; the recovery kit's is only replaced, and a device's goes when it is revoked."""
    if call.part("slot") != slots.PASSPHRASE:
        raise Forbidden("only the slot `passphrase` can be removed")
    slots.remove_passphrase(call.services, call.account.id)
    return api.SlotRemoved(name=slots.PASSPHRASE)


def test_kit(call: Call[api.KitTested]) -> api.Protection:
    """The calling device has opened the account's key with the recovery kit: from now on it is protected."""
    if call.device.id != call.id(DeviceId):
        raise NotFound(f"there is no device {call.id(DeviceId)}")
    device = slots.record_kit_test(call.services, KitTested(call.device, call.body.recovery_etag))
    assert device.protected_at is not None, "the operation has just set it"
    return api.Protection(device=device.id, protected_at=device.protected_at)


def rotate_key(call: Call[NoBody]) -> api.VaultKey:
    """A new version of the provider's key of an account, around every slot; the customer notices nothing."""
    account = customers.get_account(call.services, call.id(CustomerId), call.id(AccountId))
    rotated = account_keys.rotate(call.services, account.id)
    key = rotated.key
    return api.VaultKey(account=key.account, version=key.version, since=key.since, rewrapped=rotated.rewrapped)


def _must_be_allowed(caller: Caller, order: PutSlot) -> None:
    """A stolen device must not lock its owner out: the slots of others it may not touch, those of all only make."""
    if not isinstance(caller, DeviceCaller) or order.name == f"device-{caller.id}":
        return
    if order.replaces is not None or order.name.startswith("device-"):
        raise Forbidden("a device replaces its own slot only; for the others log in as a user")


def _precondition(call: Call[api.PutSlot]) -> str | None:
    match call.header("If-Match"), call.header("If-None-Match"):
        case (str(etag), None):
            return etag
        case (None, "*"):
            return None
        case _:
            raise Malformed("If-Match", "say either `If-None-Match: *` or `If-Match: <etag>`")


def _slot(slot: slots.Slot) -> api.Slot:
    sealed = base64.b64encode(slot.sealed).decode()
    return api.Slot(name=slot.name, sealed=sealed, changed_at=slot.changed_at, etag=slot.etag)


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed(field, "is not base 64") from None


ENDPOINTS = (
    Endpoint("GET", "/accounts/{account}/slots", list_slots, Who.OWNER, NoBody, api.Slots, audited=Deed.READ_SLOTS),
    Endpoint(
        "PUT", "/accounts/{account}/slots/{slot}", put_slot, Who.OWNER, api.PutSlot, api.Slot, audited=Deed.CHANGE_SLOT
    ),
    Endpoint(
        "DELETE",
        "/accounts/{account}/slots/{slot}",
        remove_slot,
        Who.USER,
        NoBody,
        api.SlotRemoved,
        audited=Deed.REMOVE_SLOT,
    ),
    Endpoint(
        "POST",
        "/accounts/{account}/devices/{device}/kit-test",
        test_kit,
        Who.DEVICE,
        api.KitTested,
        api.Protection,
        audited=Deed.TEST_KIT,
    ),
    Endpoint(
        "POST",
        "/customers/{customer}/accounts/{account}/rotate-key",
        rotate_key,
        Who.OPERATOR,
        NoBody,
        api.VaultKey,
        audited=Deed.ROTATE_KEY,
    ),
)
