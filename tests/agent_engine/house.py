"""A device with files on it, its vault in a folder, and eyes that see every difference."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.engine.backup import backup
from agent.engine.check import check
from agent.engine.orders import (
    BackupOrder,
    BackupReport,
    CheckOrder,
    CheckReport,
    RestoreOrder,
    RestoreReport,
    Silence,
    Trouble,
)
from agent.engine.restore import restore
from agent.folder_vault import FolderVault
from agent.vault import Vault
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format.chunks import ChunkKind
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.packs import read_directory

ACCOUNT = AccountId("01kdvdna000000000000000000")
DEVICE = DeviceId("01kdvdna000000000000000002")
KEYS = VaultKeys.derive(bytes(range(32)), ACCOUNT)
SMALL_PACKS = 256 << 10


class Seen(NamedTuple):
    """All that a restore must bring back of one entry."""

    mode: int
    owner: tuple[int, int]
    mtime_ns: int
    links: int
    device: int
    content: str
    xattrs: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class House:
    root: Path
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def vault_root(self) -> Path:
        return self.root / "vault"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def vault(self) -> FolderVault:
        return FolderVault.open(self.vault_root, ACCOUNT, DEVICE, Ed25519PrivateKey.from_private_bytes(bytes(32)))

    def order(self, **changes: Any) -> BackupOrder:
        order = BackupOrder((self.source,), self.cache, "house", pack_target_bytes=SMALL_PACKS)
        return replace(order, **changes)

    def backup(self, vault: Vault | None = None, **changes: Any) -> BackupReport:
        return backup(self.order(**changes), vault or self.vault(), KEYS, Silence())

    def restore(self, target: Path, session: SessionId | None = None, **changes: Any) -> RestoreReport:
        """Of the newest snapshot, unless another is named."""
        vault = self.vault()
        newest = session or vault.snapshots()[-1].session
        order = replace(RestoreOrder(newest, target), **changes)
        return restore(order, vault.restore_reader(newest), KEYS, Silence())

    def restored(self, session: SessionId | None = None) -> dict[bytes, Seen]:
        """The source as a restore of it to a new place looks, which must be whole."""
        target = self.root / f"restored-{len(list(self.root.glob('restored-*')))}"
        report = self.restore(target, session)
        assert (report.skipped, report.damaged) == ((), ())
        return look(target / str(self.source).lstrip("/"))

    def check(self, **changes: Any) -> CheckReport:
        return check(CheckOrder(**changes), self.vault(), KEYS, Silence())

    def packs(self) -> list[Path]:
        return sorted(file for file in (self.vault_root / "d").glob("*/*") if not file.suffix)

    def stored_chunks(self, kind: ChunkKind = ChunkKind.DATA) -> list[bytes]:
        """The ids of all chunks in all packs, as their directories tell."""
        found: list[bytes] = []
        for file in self.packs():
            name = PackName(SessionId(file.parent.name), file.name)
            found += [record.id for record in read_directory(KEYS, name, file.read_bytes()) if record.kind is kind]
        return found


def look(root: Path) -> dict[bytes, Seen]:
    """Every entry below `root`, and `root` itself as `b""`."""
    seen: dict[bytes, Seen] = {b"": _seen(bytes(root))}
    for folder, folders, files in os.walk(bytes(root)):
        for name in (*folders, *files):
            path = folder + b"/" + name
            seen[os.path.relpath(path, bytes(root))] = _seen(path)
    return seen


def _seen(path: bytes) -> Seen:
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    content = ""
    if kind == stat.S_IFREG:
        content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    elif kind == stat.S_IFLNK:
        content = str(Path(os.fsdecode(path)).readlink())
    names = os.listxattr(path) if kind in (stat.S_IFREG, stat.S_IFDIR) else []
    return Seen(
        status.st_mode,
        (status.st_uid, status.st_gid),
        status.st_mtime_ns,
        status.st_nlink if kind == stat.S_IFREG else 0,
        status.st_rdev,
        content,
        tuple(sorted((name, os.getxattr(path, name)) for name in names)),
    )


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def rest() -> None:
    """Until nothing counts as written just now: what is fresh is read again by design."""
    time.sleep(0.15)


def reasons(troubles: Iterable[Trouble]) -> dict[str, str]:
    """By the last name of the path."""
    return {trouble.path.rsplit("/", 1)[-1]: trouble.reason for trouble in troubles}
