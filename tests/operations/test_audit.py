"""The audit log in its table: many writers, one chain, and nobody alters it unnoticed."""

# pyright: reportUnknownMemberType=false
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from shared.domain.audit import Act, Broken, Deed, Sound
from shared.domain.ids import CustomerId
from shared.operations.audit import anchor, check, record
from shared.services import Services
from shared.storage.audit import RECORDS, Kept


@pytest.fixture
def tenant(services: Services) -> str:
    return services.new(CustomerId)


def act(services: Services, subject: str) -> Act:
    return Act(services.now(), "user 1", Deed.CREATE_USER, subject, "local", "done")


def kept(services: Services, tenant: str, count: int) -> None:
    for n in range(count):
        record(services, tenant, act(services, f"/things/{n}"))


def test_what_is_recorded_is_read_in_order(services: Services, tenant: str) -> None:
    kept(services, tenant, 12)
    subjects = [r.act.subject for r in services.audit.records(tenant)]
    assert subjects == [f"/things/{n}" for n in range(12)]
    assert [r.number for r in services.audit.records(tenant, after=10)] == [11, 12]
    assert isinstance(check(services, tenant), Sound)


def test_writers_at_once_make_one_chain_without_gaps(services: Services, tenant: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for n in range(16):
            pool.submit(record, services, tenant, act(services, f"/{n}"))
    verdict = check(services, tenant)
    assert isinstance(verdict, Sound)
    assert verdict.records == 16


def test_tenants_have_chains_of_their_own(services: Services, tenant: str) -> None:
    kept(services, tenant, 1)
    assert list(services.audit.records("another")) == []
    assert check(services, "another") == Sound(0, "0" * 64)


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_who_owns_the_table_alters_no_record_unnoticed(services: Services, tenant: str, harm: str) -> None:
    kept(services, tenant, 5)
    third = list(services.audit.records(tenant))[2]
    forged = Kept(tenant, replace(third, act=replace(third.act, actor="user 2")))
    table = services.audit.client
    change = partial(table.upsert_entity, RECORDS.to_entity(forged))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    remove = partial(table.delete_entity, *RECORDS.key(forged))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    {"change": change, "remove": remove}[harm]()
    verdict = check(services, tenant)
    assert isinstance(verdict, Broken)
    assert verdict.number == 3


def test_a_chain_that_was_written_anew_does_not_match_the_anchor_that_was_kept(services: Services, tenant: str) -> None:
    """The anchor knows four; the owner of the tables drops them all, and writes five that follow each other well."""
    kept(services, tenant, 4)
    old = anchor(services, tenant, services.now())
    kept(services, tenant, 1)
    assert isinstance(check(services, tenant, old), Sound)
    for entity in services.audit.client.query_entities("PartitionKey eq @p", parameters={"p": tenant}):
        services.audit.client.delete_entity(entity)
    for n in range(5):
        record(services, tenant, act(services, f"/others/{n}"))
    assert isinstance(check(services, tenant), Sound)
    verdict = check(services, tenant, old)
    assert isinstance(verdict, Broken)
    assert verdict.number == 4
    assert "anchor" in verdict.reason
