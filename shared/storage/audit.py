"""The audit chains: one partition a tenant, the records in order, and the head whose ETag puts the writers in one."""

from collections.abc import Iterator
from dataclasses import dataclass

from azure.data.tables import TableClient

from shared.domain.audit import GENESIS, Act, Record, link
from shared.storage.mapping import Mapper
from shared.storage.tables import Insert, Put, Replace, Stored, Table, transact

TABLE = "audit"

_HEAD = "head"
_RECORD = "record-"
_NOBODY = "nobody"
"""No tenant's partition."""


@dataclass(frozen=True, slots=True)
class Head:
    tenant: str
    number: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Kept:
    """A record in its tenant's chain."""

    tenant: str
    record: Record


HEADS = Mapper(TABLE, Head, key=lambda head: (head.tenant, _HEAD))
RECORDS = Mapper(TABLE, Kept, key=lambda kept: (kept.tenant, _row(kept.record.number)))


@dataclass(frozen=True, slots=True)
class AuditLog:
    client: TableClient

    def append(self, tenant: str, act: Act) -> Record:
        """One more record. Raises `Changed` when another writer was faster, `AlreadyThere` when it was the first."""
        old = self._heads.get(tenant, _HEAD)
        last = old.value if old else Head(tenant)
        record = link(last.number + 1, last.hash, act)
        head = HEADS.to_entity(Head(tenant, record.number, record.hash))
        step = Replace(head, old.etag) if old else Insert(head)
        # Record and head in one transaction: the chain never has a record that its head does not know.
        transact(self.client, [Insert(RECORDS.to_entity(Kept(tenant, record))), step])
        return record

    def pretend(self, act: Act) -> None:
        """Costs what `append` does, and is kept in no chain: the same two rows are written over each time."""
        self._heads.get(_NOBODY, _HEAD)
        record = link(1, GENESIS, act)
        head = HEADS.to_entity(Head(_NOBODY, record.number, record.hash))
        transact(self.client, [Put(RECORDS.to_entity(Kept(_NOBODY, record))), Put(head)])

    def head(self, tenant: str) -> Head:
        stored: Stored[Head] | None = self._heads.get(tenant, _HEAD)
        return stored.value if stored else Head(tenant)

    def records(self, tenant: str, *, after: int = 0) -> Iterator[Record]:
        """In order, past the record of this number."""
        kept = self._records.all(tenant, prefix=_RECORD, past=_row(after))
        return (each.record for each in kept)

    @property
    def _heads(self) -> Table[Head]:
        return Table(self.client, HEADS)

    @property
    def _records(self) -> Table[Kept]:
        return Table(self.client, RECORDS)


def _row(number: int) -> str:
    return f"{_RECORD}{number:012d}"
