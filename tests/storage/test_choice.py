"""Which storage the settings choose, and how grants are signed there."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.services import Services
from shared.settings import Settings
from shared.storage.sas import AccountKeySigner, DelegationSigner
from tests.certificates import CA
from tests.conftest import KEYS, SIGNING_KEYS

KEY = "DefaultEndpointsProtocol=https;AccountName=hort;AccountKey=AAAA;EndpointSuffix=core.windows.net"


def settings(storage: str = "", account: str | None = None) -> Settings:
    return Settings(
        storage=SecretStr(storage),
        storage_account=account,
        signing_keys=SecretStr(SIGNING_KEYS),
        ca=SecretStr(CA),
        key_dir=Path(KEYS.name),
    )


def test_with_a_connection_string_the_accounts_key_signs() -> None:
    signer = Services(settings(KEY)).signer
    assert isinstance(signer, AccountKeySigner)
    assert signer.client.url == "https://hort.blob.core.windows.net/"


def test_with_a_name_our_own_identity_signs_over_https() -> None:
    services = Services(settings(account="hort"))
    assert isinstance(services.signer, DelegationSigner)
    assert services.signer.client.url == "https://hort.blob.core.windows.net/"
    assert services.customers.client.url == "https://hort.table.core.windows.net"


def test_without_either_the_service_does_not_start() -> None:
    with pytest.raises(ValidationError, match="HORT_STORAGE_ACCOUNT"):
        settings()
