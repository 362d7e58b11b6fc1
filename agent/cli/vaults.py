"""The vault that a command works on: behind the service, or in the folder that `--vault` names."""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tzlocal import get_localzone

from agent.cli.device import Device
from agent.config import Home
from agent.engine.orders import utc_now
from agent.folder_vault import FolderVault, account_of
from agent.meter import Meter
from agent.plans.bandwidth import Limits
from agent.vault import SnapshotInfo, Vault
from agent.when import parse_when
from shared.domain.errors import Malformed, NotFound
from shared.domain.ids import Id, SessionId
from shared.format.keys import VaultKeys

LATEST = "latest"
SERVICE_CACHE = "service"
_SHORTEST_PREFIX = 6


@dataclass(frozen=True, slots=True)
class Opened:
    vault: Vault
    keys: VaultKeys
    cache_dir: Path
    """One a vault: what lies in one need not lie in another of the same account."""


@contextmanager
def opened(home: Home, url: str | None, meter: Meter, limits: Limits | None = None) -> Generator[Opened]:
    """The vault, for as long as the block runs; `limits` are for sending to the service."""
    device = Device.load(home)
    if url is not None:
        folder = folder_of(url)
        yield Opened(_folder_vault(folder, device), device.keys, home.cache / _folder_cache(folder))
        return
    from agent.cli.remote import service_vault  # half of the start-up time, and no folder needs it

    with service_vault(device, meter, limits or Limits()) as vault:
        yield Opened(vault, device.keys, home.cache / SERVICE_CACHE)


def folder_of(url: str) -> Path:
    """The folder that `file:///path` names; a bare path will do. Raises `Malformed`."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        return Path(unquote(parts.path))
    if not parts.scheme and parts.path:
        return Path(url).absolute()
    raise Malformed("vault", f"{url!r} is no folder: write file:///path")


def choose_snapshot(vault: Vault, wanted: str) -> SessionId:
    """`latest` (this device's if it has any, else the account's), a time as in `agent/when.py` and so the latest at or
    before it, an id, or the start of one; `home@` in front means the backup set `home` only. Raises `NotFound`."""
    name, at, wanted = wanted.rpartition("@")
    snapshots = [each for each in vault.snapshots() if not at or each.backup_set == name]
    moment = parse_when(wanted, utc_now(), get_localzone())
    if wanted == LATEST or moment is not None:
        of_then = [each for each in snapshots if moment is None or each.committed_at <= moment]
        if snapshots and not of_then:
            raise NotFound(f"the oldest snapshot is of {snapshots[0].committed_at.astimezone():%Y-%m-%d %H:%M:%S}")
        return _latest(of_then, [each for each in of_then if each.device == vault.device])
    return only_one((each.session for each in snapshots), wanted)


def only_one[I: Id](known: Iterable[I], wanted: str, things: str = "snapshots") -> I:
    """The one whose id is, or begins with, what somebody typed. Raises `NotFound`."""
    if len(wanted) < _SHORTEST_PREFIX:
        raise NotFound(f"{wanted!r} is too short: give at least {_SHORTEST_PREFIX} characters of the id")
    found = [each for each in known if each.startswith(wanted.lower())]
    if len(found) != 1:
        raise NotFound(f"{wanted!r} names {len(found) or 'no'} {things}; see `hort snapshots`")
    return found[0]


def _latest(snapshots: Sequence[SnapshotInfo], own: Sequence[SnapshotInfo]) -> SessionId:
    if not snapshots:
        raise NotFound("there are no snapshots yet")
    return (own or snapshots)[-1].session


def _folder_vault(folder: Path, device: Device) -> FolderVault:
    account_of(folder)  # raises `NotFound`: only `hort init` makes vaults
    who = device.registration
    return FolderVault.open(folder, who.account, who.device, device.key)


def _folder_cache(folder: Path) -> str:
    return f"folder-{hashlib.sha256(bytes(folder.resolve())).hexdigest()[:16]}"
