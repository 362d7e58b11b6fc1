"""`hort find` and `hort diff`."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.cli.backing_up import told
from agent.cli.browsing import Entry, entry
from agent.cli.exits import Exit
from agent.cli.home import find_home
from agent.cli.output import Outcome, printable, size
from agent.cli.vaults import choose_snapshot, opened
from agent.engine.diff import Change, Difference, diff
from agent.engine.find import find
from agent.engine.orders import Trouble, shown
from agent.engine.snapshot import Snapshot
from agent.meter import Meter
from shared.domain.ids import SessionId


@dataclass(frozen=True, slots=True)
class Sighting:
    entry: Entry
    snapshots: tuple[SessionId, ...]
    """That have it so, oldest first."""


@dataclass(frozen=True, slots=True)
class Sightings:
    found: tuple[Sighting, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    path: str
    """Printable."""
    change: Change
    before_bytes: int | None
    after_bytes: int | None


@dataclass(frozen=True, slots=True)
class Differences:
    before: SessionId
    after: SessionId
    changes: Iterator[Changed]


def search(pattern: str, vault_url: str | None) -> Outcome[Sightings]:
    with opened(find_home(), vault_url, Meter()) as here:
        seen = find(pattern, here.vault.snapshots(), here.vault.restore_reader(None), here.keys)
    found = tuple(Sighting(entry(each.item), each.snapshots) for each in seen.versions)
    return Outcome(Sightings(found, seen.troubles), _sighting_lines, Exit.DAMAGED if seen.troubles else Exit.OK)


@contextmanager
def comparing(before: str, after: str, path: str, vault_url: str | None) -> Generator[Outcome[Differences]]:
    """The changes are read while they are shown, and the vault stays open for that."""
    with opened(find_home(), vault_url, Meter()) as here:
        first, second = (choose_snapshot(here.vault, wanted) for wanted in (before, after))
        old, new = Snapshot.open_all(here.vault.restore_reader(None), here.keys, [first, second])
        changes = map(_changed, diff(old, new, os.fsencode(path).strip(b"/")))
        yield Outcome(Differences(first, second, changes), _difference_lines)


def _sighting_lines(seen: Sightings) -> Iterator[str]:
    yield from told("damaged", seen.troubles, len(seen.troubles))
    for each in seen.found:
        first, last = each.snapshots[0], each.snapshots[-1]
        where = first if first == last else f"{first} to {last}"
        number = "" if first == last else f", {len(each.snapshots)} snapshots"
        yield f"{each.entry.size_bytes:>13,}  {each.entry.modified_at[:19]}  {each.entry.path}  (in {where}{number})"
    if not seen.found:
        yield "Nothing of that name in any snapshot."


_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "M", Change.ATTRIBUTES: "a"}


def _difference_lines(found: Differences) -> Iterator[str]:
    for each in found.changes:
        sizes = [size(number) for number in (each.before_bytes, each.after_bytes) if number is not None]
        yield f"{_SIGNS[each.change]}  {printable(each.path)}  ({' -> '.join(dict.fromkeys(sizes))})"


def _changed(each: Difference) -> Changed:
    before, after = (None if item is None else item.size for item in (each.before, each.after))
    return Changed(shown(each.path), each.change, before, after)
