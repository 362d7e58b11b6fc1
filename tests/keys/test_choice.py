"""Which keeper of account keys the service uses is a matter of its settings."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from shared.domain.ids import AccountId
from shared.keys.account_keys import KeyGone, KeysUnavailable
from shared.keys.local import LocalKeys
from shared.keys.vault import VaultKeys
from shared.services import Services
from shared.settings import Settings
from triggers.problems import problem_of


def settings(told: Mapping[str, Any]) -> Settings:
    secret = SecretStr("x")
    return Settings(storage=secret, signing_keys=secret, ca=secret, **told)


def test_a_key_vault_is_used_where_there_is_one(tmp_path: Path) -> None:
    told = {"key_vault_url": "https://hort.vault.azure.net", "key_dir": tmp_path}
    assert isinstance(Services(settings(told)).account_keys, VaultKeys)


def test_a_folder_will_do_on_a_machine_of_one_s_own(tmp_path: Path) -> None:
    assert Services(settings({"key_dir": tmp_path})).account_keys == LocalKeys(tmp_path)


def test_a_service_without_either_does_not_start() -> None:
    with pytest.raises(ValidationError, match="HORT_KEY_VAULT_URL"):
        settings({})


def test_a_vault_that_is_away_is_told_as_a_wait_and_a_key_that_is_gone_is_not() -> None:
    away = problem_of(KeysUnavailable("the key vault does not answer"), "/slots")
    gone = problem_of(KeyGone(AccountId("0" * 26), "is deleted"), "/slots")
    assert (away.status, gone.status) == (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT)
