# pyright: reportUnknownMemberType=false
"""One table of one kind of value: insert, get, replace what was read, list in pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.domain.errors import HortError
from shared.storage.mapping import Mapper

MAX_TRANSACTION = 100
"""Azure's limit of an entity-group transaction."""


class AlreadyThere(HortError):
    """An insert found its key taken."""


class Changed(HortError):
    """Somebody else wrote the row since it was read: read again, judge again."""


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A value as it was read, with the ETag that a replacement must still find."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class Insert:
    entity: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Replace:
    entity: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Remove:
    entity: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Put:
    """Whatever is there."""

    entity: dict[str, Any]


type Step = Insert | Replace | Remove | Put


@dataclass(frozen=True, slots=True)
class Table[T]:
    client: TableClient
    mapper: Mapper[T]

    def insert(self, value: T) -> Stored[T]:
        try:
            answer = self.client.create_entity(self.mapper.to_entity(value))
        except ResourceExistsError:
            raise AlreadyThere(f"{self.client.table_name} {self.mapper.key(value)} is there already") from None
        return Stored(value, etag(answer))

    def get(self, partition: str, row: str) -> Stored[T] | None:
        try:
            entity = self.client.get_entity(partition, row)
        except ResourceNotFoundError:
            return None
        return Stored(self.mapper.from_entity(entity), etag(entity.metadata))

    def replace(self, old: Stored[T], new: T) -> Stored[T]:
        try:
            answer = self.client.update_entity(
                self.mapper.to_entity(new),
                mode=UpdateMode.REPLACE,
                etag=old.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Changed(f"{self.client.table_name} {self.mapper.key(new)} was changed meanwhile") from None
        return Stored(new, etag(answer))

    def remove(self, partition: str, row: str) -> None:
        """Whatever the row holds now; safe to repeat."""
        self.client.delete_entity(partition, row)

    def remove_unchanged(self, old: Stored[T]) -> bool:
        """False when somebody has written the row since it was read; it stays."""
        partition, row = self.mapper.key(old.value)
        try:
            self.client.delete_entity(
                str(partition), str(row), etag=old.etag, match_condition=MatchConditions.IfNotModified
            )
        except ResourceModifiedError:
            return False
        return True

    def page(self, partition: str, *, after: str = "", prefix: str = "", limit: int) -> list[T]:
        """At most `limit` values of a partition whose row keys start with `prefix`, in row order, past `after`."""
        past_prefix = after != "" and after >= prefix
        found = self._query(partition, max(after, prefix), prefix, strictly=past_prefix, per_page=limit)
        return list(islice(found, limit))

    def scan(self, after: tuple[str, str] | None, limit: int) -> list[Stored[T]]:
        """At most `limit` rows of the whole table in the order of partition and row, past the key `after`."""
        condition, parameters = "", dict[str, str]()
        if after is not None:
            # The SDK finds a parameter only where a space follows.
            condition = "PartitionKey gt @partition or (PartitionKey eq @partition and RowKey gt @row )"
            parameters = {"partition": after[0], "row": after[1]}
        found = self.client.query_entities(condition, parameters=parameters, results_per_page=limit)
        return [Stored(self.mapper.from_entity(entity), etag(entity.metadata)) for entity in islice(found, limit)]

    def all(self, partition: str, *, prefix: str = "", past: str = "") -> Iterator[T]:
        """The values of a partition whose row keys start with `prefix`, in row order, beyond `past`."""
        return self._query(partition, past or prefix, prefix, strictly=bool(past), per_page=1000)

    def _query(self, partition: str, start: str, prefix: str, *, strictly: bool, per_page: int) -> Iterator[T]:
        condition = f"PartitionKey eq @partition and RowKey {'gt' if strictly else 'ge'} @start and RowKey lt @end"
        entities = self.client.query_entities(
            condition,
            parameters={"partition": partition, "start": start, "end": prefix + "\x7f"},
            results_per_page=per_page,
        )
        for entity in entities:
            yield self.mapper.from_entity(entity)


def transact(client: TableClient, steps: Sequence[Step]) -> None:
    """All of it or nothing, in one partition. Raises `Changed` or `AlreadyThere`."""
    assert len(steps) <= MAX_TRANSACTION, "an entity-group transaction holds 100 steps"
    try:
        client.submit_transaction([_operation(step) for step in steps])
    except TableTransactionError as failed:
        raise _meaning(failed) from failed


def _operation(step: Step) -> tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]:
    match step:
        case Insert(entity):
            return "create", entity
        case Put(entity):
            return "upsert", entity, {"mode": UpdateMode.REPLACE}
        case Replace(entity, etag):
            options = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
            return "update", entity, options
        case Remove(entity, etag):
            return "delete", entity, {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _meaning(failed: HttpResponseError) -> Exception:
    match failed.status_code:
        case 409:
            return AlreadyThere("a row of the transaction is there already")
        case 404 | 412:
            return Changed("a row of the transaction was changed meanwhile")
        case _:
            return failed


def etag(metadata: Any) -> str:
    return str(metadata["etag"])
