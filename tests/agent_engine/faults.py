"""A vault on a bad line, and one whose storage loses things."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from agent.folder_vault import FolderVault
from agent.vault import (
    CommitOrder,
    Committed,
    OpenSession,
    PacksMissing,
    Reader,
    SnapshotInfo,
)
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format.names import PackName


class LineCut(Exception):
    """The connection broke."""


class Cut(Enum):
    BEFORE = "the call never arrives"
    AFTER = "the call is carried out, but the answer is lost"


@dataclass
class FaultyVault:
    """Passes calls on; `line` is asked before and after each call that changes the vault."""

    inner: FolderVault
    line: Callable[[str, Cut], None] = lambda _call, _cut: None
    twice: bool = False
    """Delivers each call that changes the vault a second time, as a retry after a lost answer does."""
    calls: list[str] = field(default_factory=list[str])

    @property
    def account(self) -> AccountId:
        return self.inner.account

    @property
    def device(self) -> DeviceId:
        return self.inner.device

    def sign(self, message: bytes) -> bytes:
        return self.inner.sign(message)

    def open_session(self, resume: SessionId | None) -> OpenSession:
        return self._call("open", lambda: self.inner.open_session(resume))

    def uploaded_packs(self, session: SessionId) -> Mapping[PackName, int]:
        return self.inner.uploaded_packs(session)

    def put_pack(self, pack: PackName, body: Sequence[bytes | memoryview]) -> None:
        self._call("pack", lambda: self.inner.put_pack(pack, body))

    def put_meta(self, name: str, body: bytes) -> None:
        self._call(name.split("/")[0], lambda: self.inner.put_meta(name, body))

    def commit(self, order: CommitOrder) -> Committed | PacksMissing:
        return self._call("commit", lambda: self.inner.commit(order))

    def abandon(self, session: SessionId) -> None:
        self._call("abandon", lambda: self.inner.abandon(session))

    def session_reader(self, session: SessionId) -> Reader:
        return self.inner.session_reader(session)

    def restore_reader(self, snapshot: SessionId | None) -> Reader:
        return self.inner.restore_reader(snapshot)

    def snapshots(self) -> Sequence[SnapshotInfo]:
        return self.inner.snapshots()

    def _call(self, name: str, call: Callable[[], Any]) -> Any:
        self.calls.append(name)
        self.line(name, Cut.BEFORE)
        answer = call()
        if self.twice and name != "open":
            answer = call()
        self.line(name, Cut.AFTER)
        return answer


@dataclass
class CutAt:
    """Cuts the line at the n-th moment, counting from 0, and never again."""

    moment: int
    passed: int = 0

    def __call__(self, _call: str, _cut: Cut) -> None:
        self.passed += 1
        if self.passed == self.moment + 1:
            raise LineCut
