"""Inserts and replacements that never overwrite blindly, pages without gaps, transactions of all or nothing."""

# pyright: reportUnknownMemberType=false
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from hypothesis import given, settings
from hypothesis import strategies as st

from localhost.azurite import Azurite
from shared.domain.commits import VaultState
from shared.domain.ids import AccountId, DeviceId, Id, SessionId
from shared.domain.sessions import SessionState, ended, opened
from shared.services import Services
from shared.storage.mapping import Mapper
from shared.storage.tables import MAX_TRANSACTION, AlreadyThere, Changed, Insert, Replace, Stored, Table, transact


@dataclass(frozen=True, slots=True)
class Thing:
    home: str
    name: str
    value: int = 0


THINGS = Mapper("thingstest", Thing, key=lambda thing: (thing.home, thing.name))


@pytest.fixture(scope="module")
def things(azurite: Azurite) -> Iterator[Table[Thing]]:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield Table(service.create_table_if_not_exists(THINGS.table), THINGS)


@pytest.fixture
def home() -> str:
    return uuid4().hex


def test_what_is_not_there_is_none(things: Table[Thing], home: str) -> None:
    assert things.get(home, "nothing") is None


def test_an_insert_never_overwrites(things: Table[Thing], home: str) -> None:
    things.insert(Thing(home, "one", 1))
    with pytest.raises(AlreadyThere):
        things.insert(Thing(home, "one", 2))
    stored = things.get(home, "one")
    assert stored is not None
    assert stored.value.value == 1


def test_a_replacement_needs_what_was_read(things: Table[Thing], home: str) -> None:
    first = things.insert(Thing(home, "one", 1))
    second = things.replace(first, Thing(home, "one", 2))
    with pytest.raises(Changed):
        things.replace(first, Thing(home, "one", 3))
    assert things.replace(second, Thing(home, "one", 4)).value.value == 4


def test_the_etag_of_an_insert_is_the_one_a_read_finds(things: Table[Thing], home: str) -> None:
    inserted = things.insert(Thing(home, "one", 1))
    assert things.get(home, "one") == inserted
    replaced = things.replace(inserted, inserted.value)
    assert things.get(home, "one") == replaced != inserted, "the same value, written again, is another version"


def test_a_replacement_drops_the_columns_that_became_none(services: Services) -> None:
    account = services.new(AccountId)
    services.vaults.create(account)
    state = services.vaults.state(account)
    assert state is not None
    table = Table(services.vaults.client, Mapper("vaults", VaultState, key=lambda s: (s.account, "!state")))
    filled = table.replace(state, VaultState(account, 1, deleted="one", catalogue="two"))
    table.replace(filled, VaultState(account, 2))
    back = services.vaults.state(account)
    assert back is not None
    assert back.value == VaultState(account, 2)


def test_replacing_what_was_deleted_is_a_change_not_a_new_row(things: Table[Thing], home: str) -> None:
    gone = things.insert(Thing(home, "one"))
    things.client.delete_entity(home, "one")
    with pytest.raises(Changed):
        things.replace(gone, Thing(home, "one", 2))
    assert things.get(home, "one") is None


@pytest.fixture(scope="module")
def shelf(things: Table[Thing]) -> str:
    """Fifty rows of `b-`, with neighbours that share the beginning of the prefix."""
    home = uuid4().hex
    names = [f"b-{n:03}" for n in range(50)] + ["a-000", "b", "b.", "c-000", "b~"]
    transact(things.client, [Insert(THINGS.to_entity(Thing(home, name))) for name in names])
    transact(things.client, [Insert(THINGS.to_entity(Thing(f"{home}x", name))) for name in names])
    return home


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(1, 60))
def test_pages_give_every_row_once_in_order(things: Table[Thing], shelf: str, limit: int) -> None:
    seen, after = list[str](), ""
    while page := things.page(shelf, after=after, prefix="b-", limit=limit):
        assert len(page) <= limit
        seen += [thing.name for thing in page]
        after = seen[-1]
    assert seen == [f"b-{n:03}" for n in range(50)]


def test_all_gives_what_the_pages_give(things: Table[Thing], shelf: str) -> None:
    assert [t.name for t in things.all(shelf, prefix="b-")] == [f"b-{n:03}" for n in range(50)]
    assert len(list(things.all(shelf))) == 55


@pytest.mark.parametrize("after", ["b-049", "b-zzz", "z", "\x7e"])
def test_past_the_end_there_is_nothing(things: Table[Thing], shelf: str, after: str) -> None:
    assert things.page(shelf, after=after, prefix="b-", limit=10) == []


@pytest.mark.parametrize("after", ["' or RowKey ge '", "a-000' or '1' eq '1", "%27", "@start", "b-048'"])
def test_a_cursor_cannot_leave_its_prefix_nor_its_partition(things: Table[Thing], shelf: str, after: str) -> None:
    for thing in things.page(shelf, after=after, prefix="b-", limit=100):
        assert thing.home == shelf
        assert thing.name.startswith("b-")
        assert thing.name > after


def test_a_cursor_before_the_prefix_does_not_widen_it(things: Table[Thing], shelf: str) -> None:
    assert [t.name for t in things.page(shelf, after="a-000", prefix="b-", limit=2)] == ["b-000", "b-001"]


def test_a_transaction_with_a_stale_row_writes_nothing(things: Table[Thing], home: str) -> None:
    first = things.insert(Thing(home, "one", 1))
    things.replace(first, Thing(home, "one", 2))
    steps = [Insert(THINGS.to_entity(Thing(home, "two"))), Replace(THINGS.to_entity(Thing(home, "one", 3)), first.etag)]
    with pytest.raises(Changed):
        transact(things.client, steps)
    assert [(t.name, t.value) for t in things.all(home)] == [("one", 2)]


def test_a_transaction_that_inserts_what_is_there_writes_nothing(things: Table[Thing], home: str) -> None:
    things.insert(Thing(home, "one", 1))
    with pytest.raises(AlreadyThere):
        transact(things.client, [Insert(THINGS.to_entity(Thing(home, name))) for name in ("zero", "one")])
    assert [t.name for t in things.all(home)] == ["one"]


def test_a_transaction_that_replaces_what_is_gone_means_changed(things: Table[Thing], home: str) -> None:
    gone = things.insert(Thing(home, "one"))
    things.client.delete_entity(home, "one")
    with pytest.raises(Changed):
        transact(things.client, [Replace(THINGS.to_entity(gone.value), gone.etag)])


def test_what_storage_does_not_understand_is_neither_changed_nor_there(things: Table[Thing], home: str) -> None:
    two_homes = [Insert(THINGS.to_entity(Thing(place, "one"))) for place in (home, home + "x")]
    with pytest.raises((ValueError, HttpResponseError)):
        transact(things.client, two_homes)


def test_more_steps_than_a_transaction_holds_are_refused_before_anything_is_sent(
    things: Table[Thing], home: str
) -> None:
    steps = [Insert(THINGS.to_entity(Thing(home, f"{n:03}"))) for n in range(MAX_TRANSACTION + 1)]
    with pytest.raises(AssertionError):
        transact(things.client, steps)
    assert list(things.all(home)) == []
    transact(things.client, steps[:MAX_TRANSACTION])
    assert len(list(things.all(home))) == MAX_TRANSACTION


@dataclass(frozen=True, slots=True)
class Vault:
    services: Services
    account: AccountId

    def state(self) -> Stored[VaultState]:
        state = self.services.vaults.state(self.account)
        assert state is not None
        return state

    def id[I: Id](self, kind: type[I]) -> I:
        return self.services.new(kind)


@pytest.fixture
def vault(services: Services) -> Vault:
    account = services.new(AccountId)
    services.vaults.create(account)
    return Vault(services, account)


def test_a_vault_is_made_once(vault: Vault) -> None:
    before = vault.state()
    vault.services.vaults.create(vault.account)
    assert vault.state() == before


def test_whoever_changes_a_session_moves_the_state_s_etag(vault: Vault) -> None:
    vaults, now = vault.services.vaults, vault.services.now()
    stale = vault.state()
    session = opened(vault.id(SessionId), vault.account, vault.id(DeviceId), 0, now)
    vaults.open(stale, session)
    assert vault.state().etag != stale.etag
    with pytest.raises(Changed):
        vaults.open(stale, replace(session, id=vault.id(SessionId)))
    old, stale = vaults.session(vault.account, session.id), vault.state()
    assert old is not None
    vaults.change(stale, old, ended(session, SessionState.ABANDONED, now))
    with pytest.raises(Changed):
        vaults.change(vault.state(), old, session)
    with pytest.raises(Changed):
        vaults.change(stale, old, session)
    assert vaults.committed(vault.account) == frozenset()


def test_sessions_and_snapshots_of_one_partition_are_not_mixed_up(vault: Vault) -> None:
    sessions = [
        opened(vault.id(SessionId), vault.account, vault.id(DeviceId), 0, datetime.now(UTC) + timedelta(minutes=n))
        for n in range(3)
    ]
    for session in sessions:
        vault.services.vaults.open(vault.state(), session)
    assert list(vault.services.vaults.snapshots(vault.account)) == []
    assert vault.services.vaults.snapshots_page(vault.account, "", 10) == []
    assert vault.services.vaults.snapshot(vault.account, sessions[0].id) is None
