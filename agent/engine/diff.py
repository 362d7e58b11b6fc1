"""What changed between two snapshots: pages that both have are not read."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from agent.engine.find import version
from agent.engine.snapshot import Snapshot, inside
from shared.format.items import Item, order
from shared.format.tables import PageRow


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    """Its bytes, where it leads, or what it is."""
    ATTRIBUTES = "attributes"
    """Owner, mode, time or extended attributes only."""


class Difference(NamedTuple):
    path: bytes
    change: Change
    before: Item | None
    after: Item | None


def diff(before: Snapshot, after: Snapshot, below: bytes = b"") -> Iterator[Difference]:
    """In order. Raises `Damaged` when a page cannot be read: what is not seen must not pass for removed."""
    old_rows, new_rows = before.sound_rows(below), after.sound_rows(below)
    shared = {row.chunk for row in old_rows} & {row.chunk for row in new_rows}
    old, new = _items(before, old_rows, shared, below), _items(after, new_rows, shared, below)
    was, now = next(old, None), next(new, None)
    while was is not None or now is not None:
        if now is None or (was is not None and order(was.path) < order(now.path)):
            assert was is not None, "one of them is there"
            yield Difference(was.path, Change.REMOVED, was, None)
            was = next(old, None)
        elif was is None or order(now.path) < order(was.path):
            yield Difference(now.path, Change.ADDED, None, now)
            now = next(new, None)
        else:
            if version(was) != version(now):
                yield Difference(now.path, _change(was, now), was, now)
            was, now = next(old, None), next(new, None)


def _items(snapshot: Snapshot, rows: list[PageRow], shared: set[bytes], below: bytes) -> Iterator[Item]:
    for page in snapshot.read(row for row in rows if row.chunk not in shared):
        if page.damage is not None:
            raise page.damage
        yield from (item for item in page.items if inside(item.path, below))


def _change(was: Item, now: Item) -> Change:
    return Change.ATTRIBUTES if _bytes_of(was) == _bytes_of(now) else Change.CHANGED


def _bytes_of(item: Item) -> tuple[object, ...]:
    same = item.content_hash or (item.depth, item.content)
    return item.kind, item.size, item.target, item.device, same
