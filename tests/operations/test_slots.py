"""Key slots: wrapped once more by the provider's key, never overwritten blindly, moved to a new key unnoticed."""

import dataclasses
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pytest

from localhost.azurite import Azurite
from shared.domain.ids import AccountId, CustomerId, DeviceId
from shared.keys import local
from shared.keys.account_keys import AccountKeys, KeyGone, Wrapped
from shared.operations import account_keys, customers, slots
from shared.operations.slots import KitTested, PreconditionFailed, PutSlot
from shared.services import Services
from tests.conftest import Clock, settings_for
from tests.operations.faults import Crash, FaultyServices, Moment
from tests.operations.world import World

SEALED = b"what the customer has sealed already" * 3


@dataclass
class Counting:
    """Keys that count what is asked of them, and may fail."""

    keys: AccountKeys
    unwrapped: list[str] = field(default_factory=list[str])
    before_unwrap: Callable[[], None] = lambda: None

    def create(self, account: AccountId) -> str:
        return self.keys.create(account)

    def rotate(self, account: AccountId) -> str:
        return self.keys.rotate(account)

    def wrap(self, account: AccountId, version: str, data_key: bytes) -> Wrapped:
        return self.keys.wrap(account, version, data_key)

    def unwrap(self, account: AccountId, wrapped: Wrapped) -> bytes:
        self.before_unwrap()
        self.unwrapped.append(wrapped.version)
        return self.keys.unwrap(account, wrapped)

    def delete(self, account: AccountId, now: datetime) -> datetime:
        return self.keys.delete(account, now)

    def recover(self, account: AccountId) -> None:
        self.keys.recover(account)

    def purge(self, account: AccountId) -> None:
        self.keys.purge(account)


@pytest.fixture
def keys(services: Services) -> Counting:
    counting = Counting(services.account_keys)
    services.account_keys = counting
    return counting


@pytest.fixture
def account(services: Services, keys: Counting) -> AccountId:
    customer = customers.create_customer(services, services.new(CustomerId), "Muster GmbH")
    return customers.create_account(services, services.new(AccountId), customer.id, "files").id


def put(services: Services, account: AccountId, sealed: bytes, replaces: str | None = None) -> slots.Slot:
    return slots.put(services, PutSlot(account, slots.RECOVERY, sealed, replaces))


def there(services: Services, account: AccountId) -> dict[str, bytes]:
    return {slot.name: slot.sealed for slot in slots.all_of(services, account)}


def test_an_account_has_its_key_from_the_start(services: Services, keys: Counting, account: AccountId) -> None:
    assert account_keys.current(services, account).version == keys.keys.create(account)


def test_what_is_stored_shows_nothing_of_the_slot(services: Services, account: AccountId) -> None:
    shown = put(services, account, SEALED)
    stored = services.slots.get(account, slots.RECOVERY)
    assert stored is not None
    assert SEALED[:16] not in b"".join((stored.value.body, stored.value.wrapped_key, stored.value.nonce))
    assert list(slots.all_of(services, account)) == [shown]


def test_a_slot_that_was_moved_to_another_account_or_name_does_not_open(services: Services, account: AccountId) -> None:
    put(services, account, SEALED)
    stored = services.slots.get(account, slots.RECOVERY)
    assert stored is not None
    services.slots.insert(dataclasses.replace(stored.value, name="passphrase"))
    with pytest.raises(Exception):  # noqa: B017, PT011 -- an InvalidTag: nobody but an attacker writes such rows
        there(services, account)


def test_of_devices_that_race_to_make_the_first_slot_one_wins(services: Services, account: AccountId) -> None:
    def won(sealed: bytes) -> bool:
        try:
            put(services, account, sealed)
        except PreconditionFailed:
            return False
        return True

    bodies = [bytes([n]) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        winners = [body for body, ok in zip(bodies, pool.map(won, bodies), strict=True) if ok]
    assert [there(services, account)["recovery"]] == winners


def test_a_slot_is_only_replaced_by_who_read_it(services: Services, account: AccountId) -> None:
    first = put(services, account, b"1")
    second = put(services, account, b"2", replaces=first.etag)
    for stale in (first.etag, "*", 'W/"nonsense"'):
        with pytest.raises(PreconditionFailed):
            put(services, account, b"3", replaces=stale)
    assert list(slots.all_of(services, account)) == [second]


def test_a_put_whose_answer_was_lost_is_answered_the_same(services: Services, account: AccountId) -> None:
    first = put(services, account, b"1")
    assert put(services, account, b"1") == first
    second = put(services, account, b"2", replaces=first.etag)
    assert put(services, account, b"2", replaces=first.etag) == second


@pytest.mark.parametrize("name", ["recovery\n", "Recovery", "device-", f"device-{'0' * 25}", "../recovery", ""])
def test_a_slot_has_one_of_the_known_names(name: str) -> None:
    assert not slots.is_slot_name(name)
    assert slots.is_slot_name("recovery")
    assert slots.is_slot_name(f"device-{'0' * 26}")


def test_a_device_s_slot_is_removed_and_no_other(services: Services, account: AccountId) -> None:
    put(services, account, SEALED)
    devices = [services.new(DeviceId), services.new(DeviceId)]
    for device in devices:
        slots.put(services, PutSlot(account, f"device-{device}", SEALED, None))
    for _ in range(2):
        slots.remove_device_slot(services, account, devices[0])
    assert set(there(services, account)) == {"recovery", f"device-{devices[1]}"}


def test_a_rotation_changes_the_key_and_nothing_that_the_customer_sees(
    services: Services, keys: Counting, account: AccountId
) -> None:
    put(services, account, SEALED)
    before, version = list(slots.all_of(services, account)), account_keys.current(services, account).version
    rotated = account_keys.rotate(services, account)
    assert (rotated.key.version != version, rotated.rewrapped) == (True, 1)
    keys.unwrapped.clear()
    assert list(slots.all_of(services, account)) == before
    assert keys.unwrapped == [rotated.key.version]


def test_a_customer_s_etag_outlives_a_rotation(services: Services, account: AccountId) -> None:
    etag = put(services, account, b"1").etag
    account_keys.rotate(services, account)
    put(services, account, b"2", replaces=etag)
    assert there(services, account) == {"recovery": b"2"}


NAMES = ("recovery", "passphrase", f"device-{'0' * 26}")


@pytest.fixture
def faulty(azurite: Azurite, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> FaultyServices:
    monkeypatch.setattr(local, "KEY_BITS", 2048)  # quicker to make, and many are made here
    return FaultyServices(settings_for(azurite.connection_string, clock))


def cut_at(faulty: FaultyServices, call: int, moment: Moment, act: Callable[[], object]) -> bool:
    """Does it until storage's call of this number, as a crash would; false when it ended before."""
    faulty.fuse.set(call, moment)
    with suppress(Crash):
        act()
    blew = faulty.fuse.at is None
    faulty.fuse.set(None)
    return blew


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_a_rotation_that_a_crash_cut_short_is_ended_by_the_next(faulty: FaultyServices, moment: Moment) -> None:
    customer = customers.create_customer(faulty, faulty.new(CustomerId), "Muster GmbH").id
    account = customers.create_account(faulty, faulty.new(AccountId), customer, "files").id
    wanted = {name: name.encode() for name in NAMES}
    for name, sealed in wanted.items():
        slots.put(faulty, PutSlot(account, name, sealed, None))
    for call in itertools.count(1):
        first = account_keys.current(faulty, account).version

        blew = cut_at(faulty, call, moment, partial(account_keys.rotate, faulty, account))
        assert there(faulty, account) == wanted, "every slot opens in between"
        if not blew:
            assert call > len(NAMES)
            return
        account_keys.rotate(faulty, account)
        assert there(faulty, account) == wanted
        assert {slot.key_version for slot in faulty.slots.all(account)} == {
            account_keys.current(faulty, account).version
        }
        assert account_keys.current(faulty, account).version != first


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
@pytest.mark.parametrize("replacing", [False, True])
def test_a_put_that_a_crash_cut_short_is_done_by_the_next(
    faulty: FaultyServices, moment: Moment, replacing: bool
) -> None:
    customer = customers.create_customer(faulty, faulty.new(CustomerId), "Muster GmbH").id
    account = customers.create_account(faulty, faulty.new(AccountId), customer, "files").id
    for call in itertools.count(1):
        slots.put(faulty, PutSlot(account, "passphrase", b"another", None))
        faulty.slots.remove(account, "recovery")
        old = put(faulty, account, b"old").etag if replacing else None
        blew = cut_at(faulty, call, moment, partial(put, faulty, account, b"new", old))
        put(faulty, account, b"new", old)
        assert there(faulty, account) == {"passphrase": b"another", "recovery": b"new"}
        if not blew:
            assert call > 1
            return


def test_a_rotation_that_did_not_reach_every_slot_makes_no_further_version(
    services: Services, keys: Counting, account: AccountId
) -> None:
    for name in NAMES:
        slots.put(services, PutSlot(account, name, name.encode(), None))

    def power_cut() -> None:
        raise Crash

    keys.before_unwrap = power_cut
    with pytest.raises(Crash):
        account_keys.rotate(services, account)
    keys.before_unwrap = lambda: None
    version = account_keys.current(services, account).version
    ended = account_keys.rotate(services, account)
    assert (ended.key.version, ended.rewrapped) == (version, len(NAMES))


def test_a_slot_that_is_written_during_a_rotation_is_not_lost(
    services: Services, keys: Counting, account: AccountId
) -> None:
    etag = put(services, account, b"1").etag

    def meanwhile() -> None:
        keys.before_unwrap = lambda: None
        put(services, account, b"2", replaces=etag)

    keys.before_unwrap = meanwhile
    assert account_keys.rotate(services, account).rewrapped == 0
    assert there(services, account) == {"recovery": b"2"}


def test_without_the_provider_s_key_no_slot_opens(services: Services, keys: Counting, account: AccountId) -> None:
    put(services, account, SEALED)
    keys.delete(account, services.now())
    with pytest.raises(KeyGone):
        there(services, account)


def test_a_whole_backup_and_a_restore_unwrap_nothing(world: World) -> None:
    keys = Counting(world.services.account_keys)
    world.services.account_keys = keys
    snapshot, packs = world.backed_up()
    world.commit(world.ready(packs))
    assert world.services.vaults.snapshot(world.id, snapshot.id) is not None
    assert keys.unwrapped == []


def test_a_device_is_protected_once_its_kit_was_tested(world: World) -> None:
    etag = put(world.services, world.id, SEALED).etag
    device = slots.record_kit_test(world.services, KitTested(world.caller, etag))
    assert device.protected_at == world.services.now()
    stored = world.services.devices.get(world.id, device.id)
    assert stored is not None
    assert stored.value == device


def test_a_test_of_a_kit_that_was_renewed_meanwhile_counts_for_nothing(world: World) -> None:
    old = put(world.services, world.id, b"old").etag
    with pytest.raises(PreconditionFailed):
        slots.record_kit_test(world.services, KitTested(world.caller, '"nonsense"'))
    put(world.services, world.id, b"new", replaces=old)
    with pytest.raises(PreconditionFailed):
        slots.record_kit_test(world.services, KitTested(world.caller, old))
    stored = world.services.devices.get(world.id, world.caller.id)
    assert stored is not None
    assert stored.value.protected_at is None
