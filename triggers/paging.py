"""Lists in pages: the cursor is the identity of the last item."""

from collections.abc import Sequence
from typing import Any

from shared.api.base import Page


def page_of[T](items: Sequence[T], limit: int) -> Page[T]:
    """A full page has a next one to ask for; it may turn out to be empty."""
    last: Any = items[-1] if len(items) == limit else None
    return Page(items=list(items), next=None if last is None else str(last.id))
