"""One Azurite a test process, and the service's own clients on it; tests never share customers or accounts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from localhost.azurite import Azurite
from shared.identity.keyring import new_jwk_set
from shared.services import Services
from shared.settings import Settings
from tests.certificates import CA
from tests.quick.services import QuickServices

# A busy machine is slow at times, and that is no fault of what is tested.
hypothesis_settings.register_profile("hort", deadline=None)
hypothesis_settings.load_profile("hort")

SIGNING_KEYS = new_jwk_set("test")
KEYS = TemporaryDirectory(prefix="hort-test-keys-")


@dataclass(slots=True)
class Clock:
    """Stands still until it is moved. It starts at the real time: Azurite asks a real clock whether a SAS expired."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> datetime:
        self.at += by
        return self.at


def settings_for(connection_string: str, clock: Callable[[], datetime]) -> Settings:
    return Settings(
        storage=SecretStr(connection_string),
        signing_keys=SecretStr(SIGNING_KEYS),
        ca=SecretStr(CA),
        key_dir=Path(KEYS.name),
        clock=clock,
    )


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Running, with every table and container of the service."""
    with Azurite.start(tmp_path_factory.mktemp("azurite")) as running:
        Services(settings_for(running.connection_string, lambda: datetime.now(UTC))).create_storage()
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def services(azurite: Azurite, clock: Clock) -> Services:
    return QuickServices(settings_for(azurite.connection_string, clock))
