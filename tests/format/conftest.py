"""One account with fixed keys: the format is a function of its arguments."""

import pytest

from shared.domain.ids import AccountId
from shared.format.keys import VaultKeys

ACCOUNT = AccountId("01kdvdna000000000000000000")


@pytest.fixture(scope="session")
def keys() -> VaultKeys:
    return VaultKeys.derive(bytes(range(32)), ACCOUNT)


@pytest.fixture(scope="session")
def other_keys() -> VaultKeys:
    return VaultKeys.derive(bytes(range(1, 33)), ACCOUNT)
