"""The one reader of the environment."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import AliasChoices, Field, ImportString, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Settings(BaseSettings):
    """App settings: `HORT_<NAME>`, on Azure, in local.settings.json or in the environment."""

    model_config = SettingsConfigDict(env_prefix="HORT_", extra="ignore", populate_by_name=True)

    public_url: str = "http://127.0.0.1:7071"
    """Where clients reach the service, without a path: issuer of tokens and audience of assertions."""
    storage: SecretStr = Field(validation_alias=AliasChoices("HORT_STORAGE", "AzureWebJobsStorage"))
    """Connection string of the storage account that holds tables and vaults."""
    signing_keys: SecretStr
    """A JWK set of Ed25519 private keys: the first signs access tokens, all of them check."""
    clock: ImportString[Callable[[], datetime]] = Field(default=wall_clock, validation_alias="LOCALHOST_NOW")
    """A local host with a virtual clock says here whom to ask for the time."""
