"""What the agent keeps on its machine, and where; the agent's one reader of the environment."""

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from platformdirs import PlatformDirs
from pydantic import BaseModel, ConfigDict, ValidationError

from agent import private_files
from shared.domain.errors import HortError, Malformed
from shared.domain.ids import AccountId, DeviceId

KEY_BYTES = 32
_HOST = re.compile(r"^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotRegistered(HortError):
    """This machine belongs to no account yet."""

    def __init__(self) -> None:
        super().__init__("this device is not registered: run `hort register`, or `hort recover` with the recovery kit")


class StateDamaged(HortError):
    """A file of ours does not say what it should."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables we heed."""

    home: Path | None
    password: str | None

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> "Environment":
        known = os.environ if variables is None else variables
        home = known.get("HORT_HOME")
        return cls(Path(home) if home else None, known.get("HORT_PASSWORD") or None)


class Registration(BaseModel):
    """Who this device is; written last, so its presence means that registering went through."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    service: str | None
    """The service's URL; none for a vault that only lies in a folder."""
    account: AccountId
    device: DeviceId
    name: str
    fingerprint: str | None = None
    """Of the account's keys; tells another key from the right one. None in homes of before it was written down."""


@dataclass(frozen=True, slots=True)
class Home:
    """The agent's two folders: `config` is precious and private, `cache` may be deleted."""

    config: Path
    cache: Path

    @classmethod
    def find(cls, environment: Environment) -> "Home":
        if environment.home is not None:
            return cls(environment.home / "config", environment.home / "cache")
        places = PlatformDirs("hort", appauthor=False)
        return cls(places.user_config_path, places.user_cache_path)

    @property
    def lock(self) -> Path:
        return self.config / "lock"

    @property
    def plans(self) -> Path:
        """No secret: its owner may edit it."""
        return self.config / "plans.toml"

    @property
    def plan_runs(self) -> Path:
        return self.config / "plan-runs.json"

    def make(self) -> None:
        private_files.make_folder(self.config)
        private_files.make_folder(self.cache)

    def registration(self) -> Registration:
        """Raises `NotRegistered`."""
        found = self.registration_if_any()
        if found is None:
            raise NotRegistered
        return found

    def registration_if_any(self) -> Registration | None:
        content = private_files.read(self._registration)
        if content is None:
            return None
        try:
            return Registration.model_validate_json(content)
        except ValidationError:
            raise StateDamaged(f"{self._registration} is not readable as a registration") from None

    def write_registration(self, registration: Registration) -> None:
        private_files.write(self._registration, registration.model_dump_json(indent=2).encode() + b"\n")

    def device_key(self) -> Ed25519PrivateKey | None:
        raw = _read_key(self._device_key)
        return None if raw is None else Ed25519PrivateKey.from_private_bytes(raw)

    def write_device_key(self, key: Ed25519PrivateKey) -> None:
        _write_key(self._device_key, key.private_bytes_raw())

    def certificate(self) -> str | None:
        """The device's own, in PEM; none in a home that only knows a vault in a folder."""
        content = private_files.read(self._certificate)
        return None if content is None else content.decode("ascii", errors="replace")

    def write_certificate(self, pem: str) -> None:
        private_files.write(self._certificate, pem.encode("ascii"))

    def exchange_key(self) -> X25519PrivateKey | None:
        """What the device's own slot is sealed to."""
        raw = _read_key(self._exchange_key)
        return None if raw is None else X25519PrivateKey.from_private_bytes(raw)

    def write_exchange_key(self, key: X25519PrivateKey) -> None:
        _write_key(self._exchange_key, key.private_bytes_raw())

    def master_key(self) -> bytes | None:
        return _read_key(self._master_key)

    def write_master_key(self, key: bytes) -> None:
        _write_key(self._master_key, key)

    def forget_master_key(self) -> None:
        self._master_key.unlink(missing_ok=True)

    def slot(self) -> bytes | None:
        """The account's recovery slot as it was when this device joined: a disk made here opens with the same kit."""
        return private_files.read(self._slot)

    def write_slot(self, sealed: bytes) -> None:
        private_files.write(self._slot, sealed)

    @property
    def _slot(self) -> Path:
        return self.config / "recovery.slot"

    @property
    def _registration(self) -> Path:
        return self.config / "device.json"

    @property
    def _device_key(self) -> Path:
        return self.config / "device.key"

    @property
    def _certificate(self) -> Path:
        return self.config / "device.crt"

    @property
    def _exchange_key(self) -> Path:
        return self.config / "exchange.key"

    @property
    def _master_key(self) -> Path:
        return self.config / "master.key"


def parse_service_url(text: str) -> str:
    """The service's base URL without a trailing slash. Raises `Malformed`, also for http:// to another machine."""
    parts = _split_url(text.strip())
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise Malformed("service", "http:// is for this machine only; use https://")
    if parts.username or parts.query or parts.fragment:
        raise Malformed("service", "give only the address: no user name, query or fragment")
    return parts._replace(path=parts.path.rstrip("/")).geturl()


def _split_url(text: str) -> SplitResult:
    with contextlib.suppress(ValueError):  # a port above 65535, or half an IPv6 address
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and _HOST.match(parts.netloc.rpartition("@")[2]) and parts.port != 0:
            return parts
    raise Malformed("service", f"{text!r} is not a URL such as https://backup.example.com")


def _read_key(path: Path) -> bytes | None:
    """Keys are kept as one line of hexadecimal digits."""
    content = private_files.read(path)
    if content is None:
        return None
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StateDamaged(f"{path} does not hold a key of {KEY_BYTES} bytes")
    return key


def _write_key(path: Path, key: bytes) -> None:
    private_files.write(path, key.hex().encode("ascii") + b"\n")
