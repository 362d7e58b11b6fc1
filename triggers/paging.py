"""Lists in pages: the cursor is the identity of the last item."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from shared.api.base import Page


def _id(item: Any) -> str:
    return str(item.id)


def page_of[T](items: Sequence[T], limit: int, cursor: Callable[[T], str] = _id) -> Page[T]:
    """A full page has a next one to ask for; it may turn out to be empty."""
    return Page(items=list(items), next=cursor(items[-1]) if len(items) == limit else None)


def page_where[T](found: Iterable[T], fits: Callable[[T], bool], limit: int) -> list[T]:
    """At most `limit` of those that fit: a page is full however many the filter drops."""
    return list(islice(filter(fits, found), limit))
