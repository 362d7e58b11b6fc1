"""Tenants and their restores: repeating an order makes nothing twice, and nobody sees another's (N2)."""

import pytest

from shared.domain.errors import NotFound
from shared.domain.ids import AccountId, CustomerId, RestoreId, SessionId
from shared.operations import customers, restores
from shared.services import Services
from tests.operations.world import World, make


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
