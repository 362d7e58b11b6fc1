"""A stand-in service, a registered device, and a patience that fits a test."""

import base64
from collections.abc import Generator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials import DeviceKey
from agent.patience import Patience
from agent.service import Service
from agent.service_vault import ServiceVault
from agent.transport import Transport
from shared.domain.ids import DeviceId
from tests.agent.stand_in import StandIn, running

SHORT = Patience(
    absence_seconds=1.5,
    attempts=3,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.05,
    connect_seconds=1.0,
    silence_seconds=0.5,
)


@pytest.fixture
def stand_in() -> Generator[StandIn]:
    with running(StandIn()) as started:
        yield started


@pytest.fixture
def transport() -> Generator[Transport]:
    made = Transport(SHORT)
    yield made
    made.close()


@dataclass(frozen=True, slots=True)
class Registered:
    key: DeviceKey
    service: Service
    transport: Transport

    def vault(self) -> ServiceVault:
        return ServiceVault(self.service, self.transport, self.key)


@pytest.fixture
def device(stand_in: StandIn, transport: Transport) -> Registered:
    private = Ed25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    device = DeviceId("7" + 25 * "z")
    stand_in.devices[device] = {
        "id": device,
        "account": stand_in.account,
        "name": "laptop",
        "platform": "linux",
        "public_key": public,
        "registered_at": "2026-01-01T00:00:00Z",
    }
    key = DeviceKey(stand_in.account, device, private)
    return Registered(key, Service(stand_in.url, key, transport), transport)


def chain(fault: BaseException | None) -> str:
    """All that a report of this error could print of it."""
    return "" if fault is None else f"{fault} {fault!r} {chain(fault.__cause__)} {chain(fault.__context__)}"
