"""The whole service on this machine: Azurite, storage, a first operator and the Functions host."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import SecretStr

from localhost.azurite import Azurite
from shared.domain.ids import UserId
from shared.domain.tenancy import Role
from shared.identity.ca import new_authority
from shared.identity.keyring import new_jwk_set
from shared.operations import passwords, users
from shared.services import Services
from shared.settings import Settings, wall_clock
from shared.storage.users import LOGIN_ROW, PROVIDER

REPOSITORY = Path(__file__).parents[1]
OPERATOR = "operator@provider.example"
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 30


class StackError(Exception):
    """The service did not come up; the message says where its log lies."""


@dataclass
class Stack:
    """One running service. The state lies in one folder; starting again in the same folder goes on with it."""

    app: ClassVar[Path] = REPOSITORY
    """The folder with `function_app.py`."""
    state: Path
    url: str
    settings: Settings
    virtual_clock: bool
    _host: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def start(cls, state: Path, *, port: int = 0, virtual_clock: bool = False) -> Generator[Self]:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = f"http://127.0.0.1:{port or _free_port()}"
        with Azurite.start(state) as azurite:
            stack = cls(state, url, _settings(state, url, azurite.connection_string), virtual_clock)
            stack.services.create_storage()
            try:
                stack.start_host()
                yield stack
            finally:
                stack.stop_host()

    @property
    def services(self) -> Services:
        """As the host has them, for what is done without it."""
        return Services(self.settings)

    @property
    def log(self) -> Path:
        return self.state / "host.log"

    @property
    def keys(self) -> Path:
        """The accounts' keys: what a Key Vault holds in Azure."""
        return self.state / "keys"

    def start_host(self) -> None:
        ready = self.state / "ready.json"
        ready.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            # A process group of its own: Ctrl-C at the terminal is ours to pass on.
            self._host = subprocess.Popen(
                self._command(ready),
                cwd=REPOSITORY,
                env=self._environment(),
                stdout=log,
                stderr=log,
                process_group=0,
            )
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not ready.exists():
            if self._host.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"the host did not start; its log is {self.log}")
            time.sleep(0.05)

    def stop_host(self) -> None:
        """SIGTERM: work in flight is finished or resumed at the next start."""
        self._end_host(signal.SIGTERM)

    def kill_host(self) -> None:
        """kill -9, as a power cut would."""
        self._end_host(signal.SIGKILL)

    def operator_password(self) -> str:
        """Of the provider's first operator, who is made and has chosen a password at the first call."""
        # Written down before it is chosen: a crash leaves a password that nobody has yet, never one that nobody knows.
        password = _kept(self.state / "operator-password", lambda: secrets.token_urlsafe(18))
        _make_operator(self.services, password)
        return password

    def _command(self, ready: Path) -> list[str]:
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "localhost", str(self.app), "--port", port]
        command += ["--state", str(self.state / "host"), "--ready-file", str(ready)]
        return [*command, "--virtual-clock"] if self.virtual_clock else command

    def _environment(self) -> dict[str, str]:
        storage = self.settings.storage.get_secret_value()
        return {
            **os.environ,
            "AzureWebJobsStorage": storage,
            "HORT_STORAGE": storage,
            "HORT_SIGNING_KEYS": self.settings.signing_keys.get_secret_value(),
            "HORT_CA": self.settings.ca.get_secret_value(),
            "HORT_PUBLIC_URL": self.url,
            "HORT_KEY_DIR": str(self.keys),
        }

    def _end_host(self, number: signal.Signals) -> None:
        if self._host is None:
            return
        self._host.send_signal(number)
        try:
            self._host.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._host.kill()
            self._host.wait()
        self._host = None


def _settings(state: Path, url: str, storage: str) -> Settings:
    return Settings(
        public_url=url,
        storage=SecretStr(storage),
        signing_keys=SecretStr(_kept(state / "signing-keys.json", lambda: new_jwk_set("local"))),
        ca=SecretStr(_kept(state / "ca.pem", lambda: new_authority("Hort on this machine", wall_clock()))),
        key_dir=state / "keys",
    )


def _make_operator(services: Services, password: str) -> None:
    """Safe to repeat; whoever has lost the password's file gets a new password."""
    claim = services.logins.get(OPERATOR, LOGIN_ROW)
    user = claim.value.user if claim else services.new(UserId)
    known = services.users.get(PROVIDER, user)
    if known is not None and services.passwords.is_right(password, known.value.password_hash):
        return
    if known is None:
        made = users.create_user(services, users.CreateUser(user, None, "Olga Obermann", OPERATOR, Role.OPERATOR))
    else:
        made = users.renew_password(services, None, user)
    passwords.change(services, passwords.ChangePassword(user, None, made.password, password, address=None))


def _kept(path: Path, make: Callable[[], str]) -> str:
    """A secret of this stack, made once, so that a restart logs nobody out."""
    if not path.exists():
        path.touch(0o600)
        path.write_text(make())
    return path.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
