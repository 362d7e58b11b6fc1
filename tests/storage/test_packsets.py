"""Sets of packs are written once, under the hash of what they hold."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from shared.domain.ids import AccountId, PackName, SessionId
from shared.services import Services
from shared.storage.tables import Changed

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PACKS = {PackName(SessionId.make(NOW, bytes([n]) * 10), f"{n:064x}"): n * 1000 for n in range(20)}


@pytest.fixture
def account(services: Services) -> AccountId:
    return services.new(AccountId)


@pytest.mark.parametrize("packs", [dict[PackName, int](), PACKS])
def test_a_set_comes_back_as_it_was_written(services: Services, account: AccountId, packs: dict[PackName, int]) -> None:
    name = services.pack_sets.write(account, packs)
    assert services.pack_sets.read(account, name) == packs


def test_no_name_is_the_empty_set(services: Services, account: AccountId) -> None:
    assert services.pack_sets.read(account, None) == {}


def test_the_same_set_has_the_same_name_whoever_writes_it(services: Services, account: AccountId) -> None:
    with ThreadPoolExecutor(4) as pool:
        names = set(pool.map(partial(services.pack_sets.write, account), [PACKS] * 8))
    assert len(names) == 1
    assert services.pack_sets.read(account, names.pop()) == PACKS


def test_another_set_has_another_name_and_leaves_the_first(services: Services, account: AccountId) -> None:
    smaller = {pack: size for pack, size in PACKS.items() if pack != min(PACKS)}
    first, second = services.pack_sets.write(account, PACKS), services.pack_sets.write(account, smaller)
    assert first != second
    assert services.pack_sets.read(account, first) == PACKS


def test_a_set_of_one_account_is_not_there_for_another(services: Services, account: AccountId) -> None:
    name = services.pack_sets.write(account, PACKS)
    with pytest.raises(Changed):
        services.pack_sets.read(services.new(AccountId), name)


def test_a_set_that_is_lost_is_an_error_never_an_empty_set(services: Services, account: AccountId) -> None:
    with pytest.raises(Changed):
        services.pack_sets.read(account, "0" * 64)
