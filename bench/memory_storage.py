"""Tables and blobs in memory, behind the few calls of the SDK that the service makes; counts what Azure would bill."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from http import HTTPStatus
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableEntity
from pydantic import SecretStr

from shared.identity.keyring import new_jwk_set
from shared.services import Services
from shared.settings import Settings

PAGE = 1000
"""Entities of an answer, at most; blobs of an answer are 5,000."""
BLOBS_A_PAGE = 5000

type Row = tuple[dict[str, Any], str]
"""What it holds, and its ETag."""


@dataclass(slots=True)
class MemoryTable:
    table_name: str
    bill: Counter[str]
    partitions: dict[str, dict[str, Row]] = field(default_factory=dict[str, dict[str, Row]])
    order: list[str] = field(default_factory=list[str])
    """The partitions' keys, sorted."""
    tags: Iterator[int] = field(default_factory=count)

    def create_entity(self, entity: dict[str, Any]) -> dict[str, str]:
        self.bill["table write"] += 1
        self._check("create", entity, None)
        return self._apply("create", entity)

    def get_entity(self, partition: str, row: str) -> TableEntity:
        self.bill["table read"] += 1
        found = self.partitions.get(partition, {}).get(row)
        if found is None:
            raise ResourceNotFoundError
        return _entity(found)

    def update_entity(self, entity: dict[str, Any], *, etag: str, **_how: Any) -> dict[str, str]:
        self.bill["table write"] += 1
        self._check("update", entity, etag)
        return self._apply("update", entity)

    def delete_entity(self, partition: str, row: str) -> None:
        self.bill["table write"] += 1
        self.partitions.get(partition, {}).pop(row, None)

    def submit_transaction(self, steps: Sequence[tuple[Any, ...]]) -> None:
        """An entity-group transaction is one request."""
        self.bill["table write"] += 1
        for verb, entity, *how in steps:
            self._check(verb, entity, how[0]["etag"] if how else None)
        for verb, entity, *_ in steps:
            self._apply(verb, entity)

    def query_entities(
        self, condition: str, *, parameters: dict[str, str], results_per_page: int = PAGE
    ) -> Iterator[TableEntity]:
        found = self._all_after(parameters) if "row" in parameters or not parameters else self._within(parameters)
        strictly = "RowKey gt @start" in condition
        rows = (row for row in found if not (strictly and row[0]["RowKey"] == parameters["start"]))
        self.bill["table read"] += 1
        while page := list(islice(rows, results_per_page)):
            yield from map(_entity, page)
            if len(page) == results_per_page:
                self.bill["table read"] += 1  # the next page, which may be empty

    def _within(self, asked: dict[str, str]) -> Iterator[Row]:
        rows = self.partitions.get(asked.get("account") or asked["partition"], {})
        start, end = asked.get("start", ""), asked.get("end", "\x7f")
        return (rows[key] for key in sorted(rows) if start <= key < end)

    def _all_after(self, asked: dict[str, str]) -> Iterator[Row]:
        after = (asked["partition"], asked["row"]) if asked else ("", "")
        first = bisect_right(self.order, after[0]) - 1
        for partition in islice(self.order, max(first, 0), None):
            rows = self.partitions[partition]
            yield from (rows[key] for key in sorted(rows) if (partition, key) > after)

    def _check(self, verb: str, entity: dict[str, Any], etag: str | None) -> None:
        found = self.partitions.get(entity["PartitionKey"], {}).get(entity["RowKey"])
        if verb == "create" and found is not None:
            raise ResourceExistsError
        if verb != "create" and (found is None or found[1] != etag):
            raise ResourceModifiedError

    def _apply(self, verb: str, entity: dict[str, Any]) -> dict[str, str]:
        partition, row = entity["PartitionKey"], entity["RowKey"]
        if partition not in self.partitions:
            insort(self.order, partition)
        rows = self.partitions.setdefault(partition, {})
        if verb == "delete":
            del rows[row]
            return {}
        rows[row] = (entity, tag := f"tag-{next(self.tags)}")
        return {"etag": tag}


@dataclass(slots=True)
class MemoryContainer:
    bill: Counter[str]
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    """Of packs, which are told without their bytes."""

    def list_blobs(self, name_starts_with: str = "") -> Iterator[SimpleNamespace]:
        found = sorted(name for name in (*self.blobs, *self.sizes) if name.startswith(name_starts_with))
        self.bill["blob list"] += max(1, -(-len(found) // BLOBS_A_PAGE))
        for name in found:
            yield SimpleNamespace(name=name, size=self.sizes.get(name) or len(self.blobs[name]))

    def upload_blob(self, name: str, body: bytes, *, overwrite: bool = False) -> None:
        self.bill["blob write"] += 1
        if name in self.blobs and not overwrite:
            raise ResourceExistsError
        self.blobs[name] = body

    def download_blob(self, name: str, **_range: int) -> SimpleNamespace:
        self.bill["blob read"] += 1
        if name not in self.blobs:
            raise ResourceNotFoundError
        return SimpleNamespace(readall=lambda: self.blobs[name])

    def delete_blobs(self, *names: str, **_how: Any) -> list[SimpleNamespace]:
        self.bill["blob batch of deletions"] += 1
        there = [(self.blobs.pop(name, None), self.sizes.pop(name, None)) for name in names]
        return [
            SimpleNamespace(status_code=HTTPStatus.NOT_FOUND if each == (None, None) else HTTPStatus.ACCEPTED)
            for each in there
        ]

    def delete_blob(self, name: str) -> None:
        self.bill["blob delete"] += 1
        del self.blobs[name]


@dataclass(slots=True)
class MemoryBlobs:
    bill: Counter[str]
    containers: dict[str, MemoryContainer] = field(default_factory=dict[str, MemoryContainer])

    def get_container_client(self, name: str) -> MemoryContainer:
        return self.containers.setdefault(name, MemoryContainer(self.bill))

    def get_blob_client(self, container: str, name: str) -> SimpleNamespace:
        return SimpleNamespace(download_blob=partial(self.get_container_client(container).download_blob, name))


@dataclass(slots=True)
class MemoryTables:
    bill: Counter[str]
    tables: dict[str, MemoryTable] = field(default_factory=dict[str, MemoryTable])

    def get_table_client(self, name: str) -> MemoryTable:
        return self.tables.setdefault(name, MemoryTable(name, self.bill))


class MemoryServices(Services):
    """The service on storage in memory, in a time of its own."""

    def __init__(self, start: datetime) -> None:
        self.bill: Counter[str] = Counter()
        self.at = start
        secret = SecretStr(new_jwk_set("bench"))
        nowhere = SecretStr("memory")
        super().__init__(
            Settings(storage=nowhere, signing_keys=secret, ca=nowhere, key_dir=Path("memory"), clock=self.clock)
        )

    def clock(self) -> datetime:
        return self.at

    def pass_by(self, span: timedelta) -> None:
        self.at += span

    @cached_property
    def _tables(self) -> Any:
        return MemoryTables(self.bill)

    @cached_property
    def _blobs(self) -> Any:
        return MemoryBlobs(self.bill)

    @property
    def tables(self) -> MemoryTables:
        return cast(MemoryTables, self._tables)

    @property
    def blobs(self) -> MemoryBlobs:
        return cast(MemoryBlobs, self._blobs)


def _entity(row: Row) -> TableEntity:
    entity = TableEntity(row[0])
    entity._metadata = {"etag": row[1], "timestamp": datetime.now(UTC)}  # pyright: ignore[reportPrivateUsage] -- only the SDK sets it
    return entity
