"""Frozen dataclasses to table entities and back: one mapper an entity."""

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Union, get_args, get_origin, get_type_hints

from azure.data.tables import EdmType, EntityProperty
from pydantic import TypeAdapter

type Entity = dict[str, Any]

_SCALARS = (str, bool, int, float, bytes, datetime)


@dataclass(frozen=True)
class Mapper[T]:
    """Columns are named after the fields; what is not a scalar is kept as JSON text; `None` is an absent column."""

    table: str
    kind: type[T]
    key: Callable[[T], tuple[str, str]]
    """Partition key and row key of a value."""

    def to_entity(self, value: T) -> Entity:
        partition, row = self.key(value)
        columns = {name: self._column(name, getattr(value, name)) for name in self._hints}
        present = {name: column for name, column in columns.items() if column is not None}
        return {"PartitionKey": str(partition), "RowKey": str(row), **present}

    def from_entity(self, entity: Mapping[str, Any]) -> T:
        columns = {name: self._value(name, entity[name]) for name in self._hints if name in entity}
        return self._whole.validate_python({**self._nothing, **columns})

    @cached_property
    def _hints(self) -> dict[str, Any]:
        hints = get_type_hints(self.kind)
        return {field.name: hints[field.name] for field in fields(self.kind)}  # pyright: ignore[reportArgumentType] -- T is a dataclass

    @cached_property
    def _whole(self) -> TypeAdapter[T]:
        return TypeAdapter(self.kind)

    @cached_property
    def _nested(self) -> dict[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(hint) for name, hint in self._hints.items() if not _is_scalar(hint)}

    @cached_property
    def _nothing(self) -> dict[str, None]:
        """What an absent column means: `None` where the field may be that, else the field's default."""
        return {name: None for name, hint in self._hints.items() if types.NoneType in get_args(hint)}

    def _column(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in self._nested:
            return self._nested[name].dump_json(value).decode()
        if isinstance(value, int) and not isinstance(value, bool):
            return EntityProperty(value, EdmType.INT64)  # the SDK's own guess is 32 bits
        return str(value) if isinstance(value, str) else value

    def _value(self, name: str, column: Any) -> Any:
        if isinstance(column, EntityProperty):
            return column.value
        if name in self._nested:
            return self._nested[name].validate_json(column)
        if isinstance(column, datetime):
            return datetime.combine(column.date(), column.timetz()).astimezone(UTC)
        return column


def _is_scalar(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return all(_is_scalar(part) for part in get_args(hint) if part is not types.NoneType)
    return isinstance(hint, type) and issubclass(hint, _SCALARS)
