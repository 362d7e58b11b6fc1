"""The one reader of the environment."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, ImportString, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.people import HASHES_AT_ONCE, REFUSED_WORDS
from shared.domain.tenancy import Role


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Settings(BaseSettings):
    """App settings: `HORT_<NAME>`, on Azure, in local.settings.json or in the environment."""

    model_config = SettingsConfigDict(env_prefix="HORT_", extra="ignore", populate_by_name=True)

    public_url: str = "http://127.0.0.1:7071"
    """Where clients reach the service, without a path: issuer of tokens and audience of assertions."""
    storage: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("HORT_STORAGE", "AzureWebJobsStorage"))
    """Connection string of the storage account that holds tables and vaults; its key signs grants."""
    storage_account: str | None = None
    """Instead of it, the account's name: we come with our own identity, and grants are user-delegation SAS."""
    signing_keys: SecretStr
    """A JWK set of Ed25519 private keys: the first signs access tokens, all of them check."""
    ca: SecretStr
    """The certificate of the devices' authority in PEM, and its private key unless that lies in Key Vault."""
    ca_key_id: str | None = None
    """That key in Key Vault, such as `https://hort.vault.azure.net/keys/devices-ca/<version>`."""
    key_vault_url: str | None = None
    """The Key Vault that holds the accounts' keys, such as `https://hort.vault.azure.net`."""
    key_dir: Path | None = None
    """Where no Key Vault is set: a private folder for the accounts' keys, on a machine of one's own."""
    clock: ImportString[Callable[[], datetime]] = Field(default=wall_clock, validation_alias="LOCALHOST_NOW")
    """A local host with a virtual clock says here whom to ask for the time."""
    refused_names: frozenset[str] = REFUSED_WORDS
    """A JSON list of words, in lower case, that no user's name may hold (G9)."""
    password_hashes_at_once: Annotated[int, Field(ge=1)] = HASHES_AT_ONCE
    """64 MiB each, in each worker process: who comes when all are under way is answered 503."""
    entra_issuer: str | None = None
    """The `iss` of Entra ID's tokens for the provider's people; with audience and keys, or not at all."""
    entra_audience: str | None = None
    """The application that those tokens must be for."""
    entra_jwks_url: str | None = None
    """Where Entra ID publishes the keys that check them."""
    entra_roles: dict[str, Role] = {
        "Hort.Operator": Role.OPERATOR,
        "Hort.Billing": Role.BILLING,
        "Hort.Auditor": Role.AUDITOR,
    }
    """What an app role makes of its holder; of several, the first in this order."""

    @model_validator(mode="after")
    def _storage_is_set(self) -> Self:
        if not self.storage.get_secret_value() and self.storage_account is None:
            raise ValueError("set HORT_STORAGE or HORT_STORAGE_ACCOUNT")
        return self

    @model_validator(mode="after")
    def _keys_are_kept_somewhere(self) -> Self:
        if self.key_vault_url is None and self.key_dir is None:
            raise ValueError("set HORT_KEY_VAULT_URL, or HORT_KEY_DIR on a machine of your own")
        return self

    @model_validator(mode="after")
    def _entra_is_set_whole_or_not_at_all(self) -> Self:
        told = [self.entra_issuer, self.entra_audience, self.entra_jwks_url]
        if any(told) and not all(told):
            raise ValueError("HORT_ENTRA_ISSUER, HORT_ENTRA_AUDIENCE and HORT_ENTRA_JWKS_URL go together")
        return self
