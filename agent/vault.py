"""What the engine needs of a vault, wherever it lies: behind the service or in a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.commits import Statistics
from shared.domain.errors import HortError
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format.names import IndexName, PackName


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A backup session as the engine sees it."""

    session: SessionId
    live_indexes: tuple[IndexName, ...]
    """Index segments whose chunks may be reused."""
    do_not_reuse: frozenset[PackName] = frozenset()
    """Packs on their way out: chunks in them count as absent."""
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class CommitOrder:
    session: SessionId
    refs_sha256: str
    statistics: Statistics
    backup_set: str = ""


@dataclass(frozen=True, slots=True)
class Committed:
    session: SessionId
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class PacksMissing:
    """The commit was refused: these packs are gone, or not as large as the refs say. Their chunks must be sent anew."""

    packs: tuple[PackName, ...]


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    session: SessionId
    device: DeviceId
    committed_at: datetime
    statistics: Statistics = field(default_factory=Statistics)
    backup_set: str = ""
    """The name of the plan that made it; none for a backup by hand."""


class Reader(Protocol):
    """Reads a vault's objects. Raises `VaultObjectMissing`; transport faults were retried before they show here."""

    def meta(self, name: str) -> bytes:
        """A whole object of `m-<account>`, such as `head/<session>`."""
        ...

    def pack_range(self, pack: PackName, offset: int, length_bytes: int) -> bytes: ...

    def pack_size_bytes(self, pack: PackName) -> int: ...


class Vault(Protocol):
    """One account's vault. Every `put_*` creates and never overwrites; putting the same bytes again is no error."""

    @property
    def account(self) -> AccountId: ...

    @property
    def device(self) -> DeviceId: ...

    def sign(self, message: bytes) -> bytes:
        """The device's Ed25519 signature (64 bytes), for the refs."""
        ...

    def open_session(self, resume: SessionId | None) -> OpenSession:
        """Opens a session, or goes on with `resume` when its lease still runs (then `resumed` is true)."""
        ...

    def uploaded_packs(self, session: SessionId) -> Mapping[PackName, int]:
        """The session's packs that are really there, with their sizes in bytes."""
        ...

    def put_pack(self, pack: PackName, body: Sequence[bytes | memoryview]) -> None: ...

    def put_meta(self, name: str, body: bytes) -> None: ...

    def commit(self, order: CommitOrder) -> Committed | PacksMissing: ...

    def abandon(self, session: SessionId) -> None: ...

    def session_reader(self, session: SessionId) -> Reader:
        """Reads indexes and heads during a backup; packs stay shut."""
        ...

    def restore_reader(self, snapshot: SessionId | None) -> Reader:
        """Opens a restore session (audited, metered); reads packs too. `None`: the whole vault."""
        ...

    def snapshots(self) -> Sequence[SnapshotInfo]:
        """Committed snapshots of the whole account, oldest first."""
        ...


class VaultObjectMissing(HortError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in the vault")
        self.name = name
