"""The durable state in SQLite: what one commit writes, and what a start reads back."""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS record (kind TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS history (id TEXT, position INTEGER, event BLOB NOT NULL, PRIMARY KEY (id, position));
CREATE TABLE IF NOT EXISTS inbox (id TEXT, position INTEGER, event BLOB NOT NULL, PRIMARY KEY (id, position));
"""


@dataclass(frozen=True, slots=True)
class Change:
    """Everything one commit writes about one record.

    `body` None deletes the record with its history and inbox. History is only ever appended at `history_from`, or
    replaced from position 0; the inbox holds events that wait for their owner's next turn.
    """

    kind: str
    id: str
    body: bytes | None
    history_from: int = 0
    history: Sequence[bytes] = ()
    inbox_added: Sequence[tuple[int, bytes]] = ()
    inbox_removed: Sequence[int] = ()


@dataclass(slots=True)
class Stored:
    """A record as it was read back, its events in order."""

    id: str
    body: bytes
    history: list[bytes] = field(default_factory=list[bytes])
    inbox: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])


class Journal:
    """One SQLite file in write-ahead mode, `synchronous=FULL`: what `commit` returned from survives kill -9."""

    def __init__(self, path: Path | None) -> None:
        """Opens or creates the file; without a path the journal lives in memory and dies with the process."""
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(SCHEMA)

    def commit(self, changes: Sequence[Change]) -> None:
        """Writes all changes in one transaction, or none of them (sqlite3.Error: disk full, read-only, ...)."""
        with self._transaction():
            for change in changes:
                self._write(change)

    def read(self, kind: str) -> Iterator[Stored]:
        for id_, body in self._db.execute("SELECT id, body FROM record WHERE kind = ? ORDER BY id", (kind,)).fetchall():
            history = [event for _, event in self._events("history", id_)]
            yield Stored(id_, body, history, self._events("inbox", id_))

    def close(self) -> None:
        self._db.close()

    def _events(self, table: str, id_: str) -> list[tuple[int, bytes]]:
        query = f"SELECT position, event FROM {table} WHERE id = ? ORDER BY position"  # noqa: S608
        return self._db.execute(query, (id_,)).fetchall()

    def _write(self, change: Change) -> None:
        key = (change.kind, change.id)
        if change.body is None:
            self._db.execute("DELETE FROM record WHERE kind = ? AND id = ?", key)
        else:
            self._db.execute("REPLACE INTO record VALUES (?, ?, ?)", (*key, change.body))
        if change.history_from == 0:
            self._db.execute("DELETE FROM history WHERE id = ?", (change.id,))
        appended = enumerate(change.history, change.history_from)
        self._db.executemany("INSERT INTO history VALUES (?, ?, ?)", [(change.id, n, event) for n, event in appended])
        gone = [(change.id, n) for n in change.inbox_removed]
        self._db.executemany("DELETE FROM inbox WHERE id = ? AND position = ?", gone)
        self._db.executemany("INSERT INTO inbox VALUES (?, ?, ?)", [(change.id, n, e) for n, e in change.inbox_added])

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
