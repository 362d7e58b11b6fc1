"""Both keepers of account keys: files on this machine, and a Key Vault behind the SDK's own pipeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from shared.keys.account_keys import AccountKeys
from shared.keys.local import LocalKeys
from shared.keys.vault import VaultKeys, key_client
from tests.keys.vault_stand_in import Credential, Vault, running


@dataclass(frozen=True, slots=True)
class Cloud:
    """A vault, and our client of it."""

    vault: Vault
    keys: VaultKeys
    credential: Credential

    def another(self, trusted: Path) -> VaultKeys:
        """As another process has it, with nothing cached."""
        return open_vault(self.vault, self.credential, trusted)


def open_vault(vault: Vault, credential: Credential, trusted: Path) -> VaultKeys:
    options = {"verify_challenge_resource": False, "connection_verify": str(trusted)}
    return VaultKeys(key_client(vault.url, credential, **options))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def cloud(authority: trustme.CA, trusted: Path) -> Iterator[Cloud]:
    with running(authority) as vault:
        credential = Credential()
        yield Cloud(vault, open_vault(vault, credential, trusted), credential)


@pytest.fixture(params=["local", "cloud"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> AccountKeys:
    if request.param == "local":
        return LocalKeys(tmp_path / "keys")
    return request.getfixturevalue("cloud").keys
