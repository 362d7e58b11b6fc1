"""Key Vault through the SDK's own pipeline: its challenge, its limits, its bad days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError

from shared.domain.ids import AccountId
from shared.keys.account_keys import KeysUnavailable
from tests.keys.conftest import Cloud
from tests.keys.vault_stand_in import refusal

ACCOUNT = AccountId.make(datetime(2026, 11, 21, tzinfo=UTC), b"account...")
DATA_KEY = bytes(range(32))


def test_the_challenge_says_whom_to_ask_for_a_token(cloud: Cloud) -> None:
    cloud.keys.create(ACCOUNT)
    assert set(cloud.credential.scopes) == {"https://vault.azure.net/.default"}


def test_wrapping_asks_the_vault_once_a_version_and_unwrapping_once_a_call(cloud: Cloud, trusted: Path) -> None:
    version = cloud.keys.create(ACCOUNT)
    keys, before = cloud.another(trusted), len(cloud.vault.requests)
    wrapped = [keys.wrap(ACCOUNT, version, DATA_KEY) for _ in range(5)]
    assert len(cloud.vault.requests) - before == 1, "the public key"
    for each in wrapped:
        assert keys.unwrap(ACCOUNT, each) == DATA_KEY
    assert len(cloud.vault.requests) - before == 1 + 5
    assert cloud.vault.count("/unwrapkey") == 5
    assert cloud.vault.count("/wrapkey") == 0


def test_another_process_wraps_with_the_version_it_is_told(cloud: Cloud, trusted: Path) -> None:
    """No cache is ever stale: whoever has not heard of a rotation wraps with a version that opens still."""
    first = cloud.keys.create(ACCOUNT)
    second = cloud.another(trusted).rotate(ACCOUNT)
    for version in (first, second):
        wrapped = cloud.keys.wrap(ACCOUNT, version, DATA_KEY)
        assert wrapped.version == version
        assert cloud.another(trusted).unwrap(ACCOUNT, wrapped) == DATA_KEY


def test_a_vault_that_asks_for_a_rest_gets_it(cloud: Cloud) -> None:
    cloud.vault.faults = [refusal(429, "Throttled", Retry_After="0")] * 2
    assert cloud.keys.create(ACCOUNT)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_vault_that_goes_on_refusing_is_unavailable(cloud: Cloud, status: int) -> None:
    cloud.vault.faults = [refusal(status, "Busy", Retry_After="0")] * 10
    with pytest.raises(KeysUnavailable):
        cloud.keys.create(ACCOUNT)


def test_a_line_that_breaks_while_we_read_is_tried_again(cloud: Cloud) -> None:
    version = cloud.keys.create(ACCOUNT)
    cloud.vault.faults = [None]
    assert cloud.keys.create(ACCOUNT) == version


def test_a_line_that_breaks_in_an_unwrap_is_for_the_caller_to_try_again(cloud: Cloud) -> None:
    """The SDK repeats no POST whose answer was lost; our 503 has the agent do it."""
    wrapped = cloud.keys.wrap(ACCOUNT, cloud.keys.create(ACCOUNT), DATA_KEY)
    cloud.vault.faults = [None]
    with pytest.raises(KeysUnavailable):
        cloud.keys.unwrap(ACCOUNT, wrapped)
    assert cloud.keys.unwrap(ACCOUNT, wrapped) == DATA_KEY


def test_a_vault_that_does_not_let_us_in_is_a_fault_of_ours(cloud: Cloud) -> None:
    cloud.vault.faults = [refusal(403, "Forbidden")]
    with pytest.raises(HttpResponseError):
        cloud.keys.create(ACCOUNT)


def test_a_deletion_says_when_it_becomes_final(cloud: Cloud) -> None:
    cloud.keys.create(ACCOUNT)
    now = datetime.now(UTC)
    left = cloud.keys.delete(ACCOUNT, now) - now
    assert timedelta(days=6, hours=23) < left < timedelta(days=7, hours=1)
