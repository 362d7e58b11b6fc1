"""The vault that a command works on: behind the service, or in the folder that `--vault` names."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.config import Home, NotRegistered, Registration, StateDamaged
from agent.credentials import DeviceKey
from agent.folder_vault import FolderVault, account_of
from agent.meter import Meter
from agent.patience import Patience
from agent.service import Service
from agent.service_vault import ServiceVault
from agent.transport import Transport
from agent.vault import SnapshotInfo, Vault
from shared.domain.errors import Malformed, NotFound
from shared.domain.ids import SessionId
from shared.format.keys import VaultKeys

LATEST = "latest"
_SHORTEST_PREFIX = 6


@dataclass(frozen=True, slots=True)
class Opened:
    vault: Vault
    keys: VaultKeys
    cache_dir: Path
    """One a vault: what lies in one need not lie in another of the same account."""


@dataclass(frozen=True, slots=True)
class Device:
    """Everything that registering left behind."""

    registration: Registration
    key: DeviceKey
    keys: VaultKeys

    @classmethod
    def load(cls, home: Home) -> "Device":
        """Raises `NotRegistered`, or `StateDamaged` when a part is lost."""
        who = home.registration()
        key, master_key = home.device_key(), home.master_key()
        if key is None or master_key is None:
            raise StateDamaged(f"the keys in {home.config} are lost: join again with `hort recover` in a new home")
        return cls(who, DeviceKey(who.account, who.device, key), VaultKeys.derive(master_key, who.account))

    def service(self, transport: Transport) -> Service:
        """Raises `NotRegistered` when this device only knows a vault in a folder."""
        if self.registration.service is None:
            raise NotRegistered
        return Service(self.registration.service, self.key, transport)


@contextmanager
def opened(home: Home, url: str | None, meter: Meter) -> Generator[Opened]:
    """The vault, for as long as the block runs. A session that is open then stays so: the next run goes on with it."""
    device = Device.load(home)
    if url is not None:
        folder = folder_of(url)
        account_of(folder)  # raises `NotFound`: only `hort init` makes vaults
        vault = FolderVault.open(folder, device.key.account, device.key.device, device.key.key)
        yield Opened(vault, device.keys, home.cache / _folder_cache(folder))
        return
    transport = Transport(Patience())
    vault = ServiceVault(device.service(transport), transport, device.key, meter.for_the_service)
    try:
        yield Opened(vault, device.keys, home.cache / "service")
    finally:
        vault.close()
        transport.close()


def folder_of(url: str) -> Path:
    """The folder that `file:///path` names; a bare path will do. Raises `Malformed`."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        return Path(unquote(parts.path))
    if not parts.scheme and parts.path:
        return Path(url).absolute()
    raise Malformed("vault", f"{url!r} is no folder: write file:///path")


def choose_snapshot(vault: Vault, wanted: str) -> SessionId:
    """`latest` (this device's if it has any, else the account's), an id, or the start of one. Raises `NotFound`."""
    snapshots = vault.snapshots()
    if wanted == LATEST:
        return _latest(snapshots, [each for each in snapshots if each.device == vault.device])
    found = [each.session for each in snapshots if each.session.startswith(wanted.lower())]
    if len(found) != 1 or len(wanted) < _SHORTEST_PREFIX:
        raise NotFound(f"{wanted!r} names {len(found) or 'no'} snapshots; see `hort snapshots`")
    return found[0]


def _latest(snapshots: Sequence[SnapshotInfo], own: Sequence[SnapshotInfo]) -> SessionId:
    if not snapshots:
        raise NotFound("there are no snapshots yet")
    return (own or snapshots)[-1].session


def _folder_cache(folder: Path) -> str:
    return f"folder-{hashlib.sha256(bytes(folder.resolve())).hexdigest()[:16]}"
