"""What every keeper of account keys promises."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from shared.domain.ids import AccountId
from shared.keys.account_keys import AccountKeys, KeyGone, Wrapped

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACCOUNT, OTHER = (AccountId.make(NOW, entropy) for entropy in (b"account...", b"other....."))
DATA_KEY = secrets.token_bytes(32)


def test_what_was_wrapped_is_unwrapped(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    assert keys.unwrap(ACCOUNT, wrapped) == DATA_KEY
    assert DATA_KEY not in wrapped.body
    assert len(wrapped.body) == 3072 // 8


def test_a_repeated_creation_is_the_same_key(keys: AccountKeys) -> None:
    assert keys.create(ACCOUNT) == keys.create(ACCOUNT)


def test_no_account_opens_what_another_s_key_has_wrapped(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    theirs = Wrapped(keys.create(OTHER), wrapped.body)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- each keeper says it in its own way
        keys.unwrap(OTHER, theirs)


def test_an_old_version_opens_after_a_rotation(keys: AccountKeys) -> None:
    first = keys.create(ACCOUNT)
    wrapped = keys.wrap(ACCOUNT, first, DATA_KEY)
    second = keys.rotate(ACCOUNT)
    assert second != first
    assert keys.create(ACCOUNT) == second
    assert keys.unwrap(ACCOUNT, wrapped) == DATA_KEY
    assert keys.unwrap(ACCOUNT, keys.wrap(ACCOUNT, second, DATA_KEY)) == DATA_KEY


def test_a_version_that_never_was_is_gone(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    with pytest.raises(KeyGone):
        keys.unwrap(ACCOUNT, Wrapped("77", wrapped.body))


def test_a_key_that_never_was_is_gone(keys: AccountKeys) -> None:
    with pytest.raises(KeyGone):
        keys.unwrap(ACCOUNT, Wrapped("1", bytes(384)))
    for act in (keys.rotate, keys.recover):
        with pytest.raises(KeyGone):
            act(ACCOUNT)
    with pytest.raises(KeyGone):
        keys.delete(ACCOUNT, NOW)


def test_a_deleted_key_opens_nothing_until_it_is_recovered(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    assert keys.delete(ACCOUNT, NOW).tzinfo is not None
    keys.delete(ACCOUNT, NOW)
    for act in (keys.create, keys.rotate):
        with pytest.raises(KeyGone):
            act(ACCOUNT)
    with pytest.raises(KeyGone):
        keys.unwrap(ACCOUNT, wrapped)
    keys.recover(ACCOUNT)
    assert keys.unwrap(ACCOUNT, wrapped) == DATA_KEY


def test_a_purged_key_never_comes_back(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    keys.delete(ACCOUNT, NOW)
    keys.purge(ACCOUNT)
    keys.purge(ACCOUNT)
    with pytest.raises(KeyGone):
        keys.recover(ACCOUNT)
    with pytest.raises(KeyGone):
        keys.unwrap(ACCOUNT, wrapped)
    fresh = keys.create(ACCOUNT)
    with pytest.raises(Exception):  # noqa: B017, PT011 -- another key under the same name is another key
        keys.unwrap(ACCOUNT, Wrapped(fresh, wrapped.body))


def test_a_purge_spares_a_key_that_was_not_deleted(keys: AccountKeys) -> None:
    wrapped = keys.wrap(ACCOUNT, keys.create(ACCOUNT), DATA_KEY)
    keys.purge(ACCOUNT)
    assert keys.unwrap(ACCOUNT, wrapped) == DATA_KEY


def test_many_threads_share_one_keeper(keys: AccountKeys) -> None:
    version = keys.create(ACCOUNT)

    def there_and_back(n: int) -> bool:
        return keys.unwrap(ACCOUNT, keys.wrap(ACCOUNT, version, bytes([n]) * 32)) == bytes([n]) * 32

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(24)))
