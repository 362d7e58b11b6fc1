"""Tenants, users and devices: repeating an order makes nothing twice, and nobody sees another's (N2, N11)."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.errors import Conflict, Malformed, NotAuthenticated, NotFound
from shared.domain.ids import AccountId, CustomerId, DeviceId, RestoreId, SessionId, UserId
from shared.domain.tenancy import Role, UserCaller
from shared.operations import customers, devices, restores, tokens
from shared.operations.customers import CreateUser, UserCreated
from shared.operations.devices import PreconditionFailed, PutSlot
from shared.services import Services
from tests.operations.world import World, make


def ordered(world: World, login: str = "") -> CreateUser:
    login = login or f"anna.{secrets.token_hex(8)}@example.org"
    return CreateUser(world.services.new(UserId), world.account.customer, "Anna Muster", login, Role.ADMIN)


def test_a_repeated_customer_and_account_are_the_first_ones(services: Services) -> None:
    world = make(services)
    before = world.state()
    customer = customers.create_customer(services, world.account.customer, "another name")
    assert customer.name == "Muster GmbH"
    assert customers.create_account(services, world.id, customer.id, "another name") == world.account
    assert world.state() == before


def test_an_account_of_nobody_is_refused(services: Services) -> None:
    with pytest.raises(NotFound):
        customers.create_account(services, services.new(AccountId), services.new(CustomerId), "files")


def test_another_customer_s_account_does_not_exist(world: World) -> None:
    with pytest.raises(NotFound):
        customers.get_account(world.services, make(world.services).account.customer, world.id)


def test_a_user_can_log_in_with_the_first_password_and_no_other(world: World) -> None:
    order = ordered(world)
    made = customers.create_user(world.services, order)
    caller = tokens.caller_of(world.services, tokens.for_password(world.services, order.login, made.password))
    assert caller == UserCaller(order.id, order.customer, Role.ADMIN)
    for login, password in ((order.login, "wrong"), (order.login, ""), ("nobody@example.org", made.password), ("", "")):
        with pytest.raises(NotAuthenticated, match="user name or password is wrong"):
            tokens.for_password(world.services, login, password)


def test_a_repeated_order_is_one_user_with_a_new_first_password(world: World) -> None:
    order = ordered(world)
    first, second = (customers.create_user(world.services, order) for _ in range(2))
    assert first.password != second.password
    assert second.user.id == first.user.id
    tokens.for_password(world.services, order.login, second.password)
    with pytest.raises(NotAuthenticated):
        tokens.for_password(world.services, order.login, first.password)


def test_a_login_name_belongs_to_one_user_all_over_the_service(world: World) -> None:
    order = ordered(world)
    customers.create_user(world.services, order)
    for other in (world, make(world.services)):
        taken = ordered(other, order.login)
        with pytest.raises(Conflict, match="taken"):
            customers.create_user(world.services, taken)
        assert world.services.users.get(str(taken.customer), taken.id) is None, "nothing half done"


def test_of_users_who_race_for_a_login_name_one_gets_it(world: World) -> None:
    login = ordered(world).login

    def create(order: CreateUser) -> UserCreated | None:
        try:
            return customers.create_user(world.services, order)
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [one for one in pool.map(create, [ordered(world, login) for _ in range(4)]) if one]
    assert len(made) == 1
    caller = tokens.caller_of(world.services, tokens.for_password(world.services, login, made[0].password))
    assert caller == UserCaller(made[0].user.id, made[0].user.customer, Role.ADMIN)


def test_a_user_of_no_customer_that_exists_is_refused_and_takes_no_name(world: World) -> None:
    lost = CreateUser(
        world.services.new(UserId), world.services.new(CustomerId), "Anna", ordered(world).login, Role.ADMIN
    )
    with pytest.raises(NotFound):
        customers.create_user(world.services, lost)
    customers.create_user(world.services, ordered(world, lost.login))


def test_a_repeated_registration_keeps_the_first_key(world: World) -> None:
    order = devices.RegisterDevice(world.services.new(DeviceId), world.account, "pc", "linux", b"\x01" * 32)
    first = devices.register(world.services, order)
    again = devices.RegisterDevice(order.id, world.account, "pc", "linux", b"\x02" * 32)
    assert devices.register(world.services, again) == first


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(world: World, length: int) -> None:
    order = devices.RegisterDevice(world.services.new(DeviceId), world.account, "pc", "linux", bytes(length))
    with pytest.raises(Malformed, match="public_key"):
        devices.register(world.services, order)
    with pytest.raises(NotFound):
        devices.get(world.services, world.id, order.id)


def test_of_devices_that_race_to_make_the_first_slot_one_wins(world: World) -> None:
    def put(sealed: bytes) -> bool:
        try:
            devices.put_slot(world.services, PutSlot(world.id, "recovery", sealed, replaces=None))
        except PreconditionFailed:
            return False
        return True

    bodies = [bytes([n]) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        won = [body for body, ok in zip(bodies, pool.map(put, bodies), strict=True) if ok]
    stored = world.services.slots.get(world.id, "recovery")
    assert stored is not None
    assert [stored.value.sealed] == won


def test_a_slot_is_only_replaced_by_who_read_it(world: World) -> None:
    first = devices.put_slot(world.services, PutSlot(world.id, "recovery", b"1", replaces=None))
    second = devices.put_slot(world.services, PutSlot(world.id, "recovery", b"2", replaces=first.etag))
    for stale in (first.etag, 'W/"nonsense"'):
        with pytest.raises(PreconditionFailed):
            devices.put_slot(world.services, PutSlot(world.id, "recovery", b"3", replaces=stale))
    assert world.services.slots.get(world.id, "recovery") == second


@pytest.mark.parametrize("name", ["recovery\n", "Recovery", "device-", f"device-{'0' * 25}", "../recovery", ""])
def test_a_slot_has_one_of_the_known_names(name: str) -> None:
    assert not devices.is_slot_name(name)
    assert devices.is_slot_name("recovery")
    assert devices.is_slot_name(f"device-{'0' * 26}")


def test_a_restore_is_recorded_before_it_is_granted_and_repeating_it_records_nothing(world: World) -> None:
    snapshot, _ = world.backed_up()
    order = restores.OpenRestore(world.services.new(RestoreId), world.account, snapshot.id, world.caller)
    first = restores.open_restore(world.services, order)
    again = restores.open_restore(world.services, order)
    assert first.restore == again.restore
    assert (first.restore.device, first.restore.user, first.restore.snapshot) == (world.caller.id, None, snapshot.id)
    assert [record.id for record in world.services.restores.all(world.id)] == [order.id]


def test_a_restore_of_no_snapshot_leaves_no_record(world: World) -> None:
    unknown = restores.OpenRestore(
        world.services.new(RestoreId), world.account, world.services.new(SessionId), world.caller
    )
    with pytest.raises(NotFound):
        restores.open_restore(world.services, unknown)
    assert list(world.services.restores.all(world.id)) == []
    with pytest.raises(NotFound):
        restores.reopen(world.services, world.account, unknown.id)
