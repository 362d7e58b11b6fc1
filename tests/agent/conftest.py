"""A stand-in service, a registered device, and a patience that fits a test."""

import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import patience
from agent.certificates import thumbprint
from agent.cli import joining, passwords, recovering, remote, renewing, reopening, retaining, signing_in, standing
from agent.cli.app import app
from agent.cli.exits import Exit
from agent.credentials import DeviceKey
from agent.patience import Patience
from agent.service import Service
from agent.service_vault import ServiceVault
from agent.transport import Transport
from shared.domain.ids import DeviceId
from tests.agent.command_line import Hort, Said
from tests.agent.stand_in import StandIn
from tests.agent.stand_in_api import described
from tests.agent.stand_in_server import running
from tests.certificates import csr

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
    device = DeviceId("7" + 25 * "z")
    stand_in.devices[device] = described(device, stand_in, {"name": "laptop", "platform": "linux", "csr": csr(private)})
    key = DeviceKey(stand_in.account, device, private, thumbprint(stand_in.devices[device]["certificate"]))
    return Registered(key, Service(stand_in.url, key, transport), transport)


def chain(fault: BaseException | None) -> str:
    """All that a report of this error could print of it."""
    return "" if fault is None else f"{fault} {fault!r} {chain(fault.__cause__)} {chain(fault.__context__)}"


@pytest.fixture
def hort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hort:
    """Runs a command in a home of its own, with a patience that fits a test."""
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HORT_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)
    for module in (joining, passwords, recovering, remote, reopening, retaining, signing_in, patience):
        monkeypatch.setattr(module, "Patience", lambda: SHORT)
    for module in (renewing, standing):
        monkeypatch.setattr(module, "SHORT", SHORT)

    def run(*arguments: str, code: Exit = Exit.OK) -> Said:
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="hort")
        out, err = capsys.readouterr()
        assert ended.value.code == code, out + err
        assert "Traceback" not in err
        return Said(code, out, err)

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "below").mkdir(parents=True)
    (folder / "letter").write_text("dear reader")
    (folder / "below" / "image").write_bytes(os.urandom(300_000))
    (folder / "link").symlink_to("letter")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"no text")
    (folder / "bell\a").write_bytes(b"")
    return folder


@pytest.fixture
def vault(tmp_path: Path) -> str:
    return f"file://{tmp_path}/vault"


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)
