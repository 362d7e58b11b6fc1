"""Small files that were seen before, by what is in them: a copy or a renamed folder is not stored again."""

from collections.abc import Iterable
from pathlib import Path

from agent.engine.journal import Member
from agent.engine.known import Known
from agent.engine.memory import memos
from shared.format import content

MAX_REMEMBERED = 1 << 20
"""Some 170 bytes each; beyond it a copy may be stored twice."""


class Recall:
    """Rows of small files by content hash: of earlier runs, as far as their chunks are still there, and of this one."""

    def __init__(self, known: Known, last_run: Path, key: bytes) -> None:
        self._known = known
        self._last_run: Path | None = last_run
        self._key = key
        self._rows: dict[bytes, bytes] = {}

    def learn(self, members: Iterable[Member]) -> None:
        for member in members:
            self.keep(member.digest, content.encode_row(member.chunk, member.offset, member.length))

    def keep(self, digest: bytes, row: bytes) -> None:
        if len(self._rows) < MAX_REMEMBERED:
            self._rows[digest] = row

    def row(self, digest: bytes) -> bytes | None:
        self._load()
        row = self._rows.get(digest)
        return row if row is not None and self._known.has_all(content.chunk_ids(row)) else None

    def _load(self) -> None:
        """The last run's small files, when the first is asked for: a run without changes never needs them."""
        if self._last_run is None:
            return
        path, self._last_run = self._last_run, None
        for memo in memos(path, self._key):
            if memo.digest:
                self.keep(memo.digest, memo.rows)
