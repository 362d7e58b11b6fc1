"""The one place where a workflow's typed values become JSON and back."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter


def encode[T](value: T, kind: type[T]) -> Any:
    """Plain JSON values: no module names, so code may move while workflows run."""
    return _adapter(kind).dump_python(value, mode="json")


def decode[T](payload: object, kind: type[T]) -> T:
    return _adapter(kind).validate_python(payload)


@cache
def _adapter[T](kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)
