"""A vault in a folder: the seed disk, the return disk, and what benchmarks use. The same objects as behind the service.

`hort-vault` names the account; `d/<session>/<pack-id>` are packs; `m/...` indexes, heads and refs; `slots/...` sealed
keys; `open/<session>` sessions under way; `committed/<session>` when each snapshot was committed, and by whom.
"""

import errno
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter, ValidationError

from agent.vault import (
    CommitOrder,
    Committed,
    OpenSession,
    PacksMissing,
    Reader,
    SnapshotInfo,
    VaultObjectMissing,
)
from shared.domain.errors import Conflict, HortError, Malformed, NotFound
from shared.domain.ids import ENTROPY_BYTES, AccountId, DeviceId, SessionId
from shared.format import names, refs
from shared.format.errors import Damaged
from shared.format.names import IndexName, PackName
from shared.format.packs import sha256_hex

MARKER = "hort-vault"
_TITLE = "hort vault 1"
_SNAPSHOT = TypeAdapter(SnapshotInfo)
_PARTS_A_WRITE = 512


class VaultFull(HortError):
    """The disk of the vault is full; nothing was left half written."""


def account_of(root: Path) -> AccountId:
    """Whose vault lies in `root`. Raises `NotFound` when none does, `Malformed` when it is of another version."""
    try:
        title, account = (root / MARKER).read_text("ascii").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{root} holds no vault") from None
    except ValueError:
        raise Malformed(MARKER, f"{root} holds no vault of version 1") from None
    if title != _TITLE:
        raise Malformed(MARKER, f"{title[:40]!r} is a version that this program does not know")
    return AccountId.parse(account)


@dataclass(frozen=True, slots=True)
class FolderReader:
    root: Path

    def meta(self, name: str) -> bytes:
        with _missing(name):
            return (self.root / "m" / name).read_bytes()

    def pack_range(self, pack: PackName, offset: int, length_bytes: int) -> bytes:
        with _missing(f"d/{pack}"), (self.root / "d" / str(pack)).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length_bytes, offset)

    def pack_size_bytes(self, pack: PackName) -> int:
        with _missing(f"d/{pack}"):
            return (self.root / "d" / str(pack)).stat().st_size


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a folder has no service whose clock could be asked


@dataclass(frozen=True, slots=True)
class FolderVault:
    """`Vault` on a folder. Nobody sweeps it, so a session may be gone on with for as long as it is not committed."""

    root: Path
    account: AccountId
    device: DeviceId
    key: Ed25519PrivateKey
    now: Callable[[], datetime] = _now
    entropy: Callable[[int], bytes] = os.urandom

    @classmethod
    def open(cls, root: Path, account: AccountId, device: DeviceId, key: Ed25519PrivateKey) -> Self:
        """Makes the vault when `root` is empty or not there. Raises `Conflict` when something else lies there."""
        root.mkdir(parents=True, exist_ok=True)
        if not any(root.iterdir()):
            _write(root / MARKER, [f"{_TITLE}\n{account}\n".encode()])
        if account_of(root) != account:
            raise Conflict(f"{root} is the vault of another account")
        return cls(root, account, device, key)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def open_session(self, resume: SessionId | None) -> OpenSession:
        resumed = resume is not None and (self.root / "open" / resume).exists()
        session = resume if resume and resumed else SessionId.make(self.now(), self.entropy(ENTROPY_BYTES))
        if not resumed:
            _write(self.root / "open" / session, [b""])
        live = tuple(name for info in self.snapshots() for name in self._indexes(info.session))
        return OpenSession(session, live, resumed=resumed)

    def uploaded_packs(self, session: SessionId) -> Mapping[PackName, int]:
        folder = self.root / "d" / session
        files = [file for file in folder.iterdir() if not file.suffix] if folder.is_dir() else []
        return {PackName(session, file.name): file.stat().st_size for file in files}

    def put_pack(self, pack: PackName, body: Sequence[bytes | memoryview]) -> None:
        _create(self.root / "d" / str(pack), body)

    def put_meta(self, name: str, body: bytes) -> None:
        _create(self.root / "m" / name, [body])

    def put_slot(self, name: str, body: bytes) -> None:
        """A sealed key, such as `slots/recovery`; the newest counts."""
        _write(self.root / name, [body])

    def slot(self, name: str) -> bytes:
        """Raises `VaultObjectMissing`."""
        with _missing(name):
            return (self.root / name).read_bytes()

    def commit(self, order: CommitOrder) -> Committed | PacksMissing:
        """Idempotent. Raises `Conflict` when the session is not open, or its refs are not those that were announced."""
        done = self._committed(order.session)
        if done is not None:
            return Committed(done.session, done.committed_at)
        missing = self._missing_packs(self._refs(order))
        if missing:
            return PacksMissing(tuple(missing))
        info = SnapshotInfo(order.session, self.device, self.now(), order.statistics, order.backup_set)
        _write(self.root / "committed" / order.session, [_SNAPSHOT.dump_json(info)])
        (self.root / "open" / order.session).unlink(missing_ok=True)
        return Committed(order.session, info.committed_at)

    def abandon(self, session: SessionId) -> None:
        """What the session brought is deleted, for nobody else would ever do it. A snapshot is never touched."""
        if self._committed(session) is not None:
            return
        for folder in (self.root / "d" / session, self.root / "m" / "index" / session):
            shutil.rmtree(folder, ignore_errors=True)
        for name in (names.head(session), names.refs(session)):
            (self.root / "m" / name).unlink(missing_ok=True)
        (self.root / "open" / session).unlink(missing_ok=True)

    def session_reader(self, session: SessionId) -> Reader:  # noqa: ARG002 - a folder is open to whoever can read it
        return FolderReader(self.root)

    def restore_reader(self, snapshot: SessionId | None) -> Reader:  # noqa: ARG002
        return FolderReader(self.root)

    def snapshots(self) -> Sequence[SnapshotInfo]:
        folder = self.root / "committed"
        sessions = sorted(file.name for file in folder.iterdir() if not file.suffix) if folder.is_dir() else []
        infos = (self._committed(SessionId.parse(session)) for session in sessions)
        return sorted((info for info in infos if info), key=lambda info: (info.committed_at, info.session))

    def _committed(self, session: SessionId) -> SnapshotInfo | None:
        try:
            return _SNAPSHOT.validate_json((self.root / "committed" / session).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise Damaged(f"committed/{session}", str(error.errors()[0]["msg"])) from None

    def _indexes(self, session: SessionId) -> list[IndexName]:
        folder = self.root / "m" / "index" / session
        numbers = [int(file.name) for file in folder.iterdir() if file.name.isdigit()] if folder.is_dir() else []
        return [IndexName(session, number) for number in sorted(numbers)]

    def _refs(self, order: CommitOrder) -> refs.Refs:
        if not (self.root / "open" / order.session).exists():
            raise Conflict(f"session {order.session} is not open")
        text = FolderReader(self.root).meta(names.refs(order.session))
        if sha256_hex([text]) != order.refs_sha256:
            raise Conflict("the refs are not the ones that were announced")
        return refs.decode(text, self.key.public_key())

    def _missing_packs(self, needed: refs.Refs) -> list[PackName]:
        return [ref.name for ref in needed.packs if _size(self.root / "d" / str(ref.name)) != ref.size_bytes]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


@contextmanager
def _missing(name: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise VaultObjectMissing(name) from None


def _create(path: Path, body: Iterable[bytes | memoryview]) -> None:
    """Creates and never overwrites: the same bytes again are no error, others are a `Conflict`."""
    parts = list(body)
    if path.exists():
        if path.read_bytes() != b"".join(parts):
            raise Conflict(f"{path.name} is in the vault already, with other bytes")
        return
    _write(path, parts)


def _write(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Whole or not at all, and durable. Raises `VaultFull`."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb", buffering=0) as file:
            _write_all(file.fileno(), parts)
            os.fsync(file.fileno())
        # Bytes before name before folder: after a power cut the object is whole, or not there.
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise VaultFull(f"the disk of the vault is full: {path.parent}") from None
        raise


def _write_all(handle: int, parts: Sequence[bytes | memoryview]) -> None:
    """`writev` in turns: it takes a limited number of parts, and may write less than it was given."""
    for at in range(0, len(parts), _PARTS_A_WRITE):
        some = [memoryview(part) for part in parts[at : at + _PARTS_A_WRITE]]
        while some:
            written = os.writev(handle, some)
            while some and written >= len(some[0]):
                written -= len(some.pop(0))
            if some:
                some[0] = some[0][written:]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
