"""Where a name is, in all snapshots: a page that several of them share is read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.engine.globs import Rules
from agent.engine.orders import Trouble
from agent.engine.snapshot import Snapshot
from agent.vault import Reader, SnapshotInfo
from shared.domain.ids import SessionId
from shared.format.items import Item, ItemKind, order
from shared.format.keys import VaultKeys
from shared.format.tables import PageRow


class Version(NamedTuple):
    """An entry as some snapshots have it."""

    item: Item
    snapshots: tuple[SessionId, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Found:
    versions: tuple[Version, ...]
    """By path, oldest version first."""
    troubles: tuple[Trouble, ...]


def find(pattern: str, infos: Sequence[SnapshotInfo], reader: Reader, keys: VaultKeys) -> Found:
    """Entries whose name or path fits the glob (`agent/engine/globs.py`), as each snapshot has them.

    Raises `Damaged` or `VaultObjectMissing` when a snapshot cannot be opened at all.
    """
    search = _Search(Rules.of((), (pattern,)))
    snapshots = Snapshot.open_all(reader, keys, [info.session for info in infos])
    for snapshot in snapshots:
        search.look_into(snapshot)
    troubles = (*(snapshots[0].troubles if snapshots else ()), *search.troubles)
    return Found(tuple(search.versions()), troubles)


@dataclass(slots=True)
class _Search:
    rules: Rules
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    _fitting: dict[bytes, tuple[Item, ...]] = field(default_factory=dict[bytes, tuple[Item, ...]])
    """What fits in a page, by the page's chunk."""
    _seen: dict[tuple[object, ...], tuple[Item, list[SessionId]]] = field(
        default_factory=dict[tuple[object, ...], tuple[Item, list[SessionId]]]
    )

    def look_into(self, snapshot: Snapshot) -> None:
        rows = list(snapshot.rows())
        for page in snapshot.read(row for row in rows if not self._known(row)):
            if page.trouble is not None and page.trouble not in self.troubles:
                self.troubles.append(page.trouble)
            self._fitting[page.row.chunk] = tuple(item for item in page.items if self._fits(item))
        for row in rows:
            for item in self._fitting.get(row.chunk, ()) if isinstance(row, PageRow) else ():
                self._seen.setdefault(version(item), (item, []))[1].append(snapshot.head.session)

    def versions(self) -> Iterator[Version]:
        by_path = sorted(self._seen.values(), key=lambda seen: (order(seen[0].path), seen[1][0]))
        return (Version(item, tuple(sessions)) for item, sessions in by_path)

    def _known(self, row: object) -> bool:
        return isinstance(row, PageRow) and row.chunk in self._fitting

    def _fits(self, item: Item) -> bool:
        """Itself, not only a folder above it: so patterns that leave out are asked."""
        return self.rules.leaves_out(item.path, item.kind is ItemKind.DIRECTORY) is not None


def version(item: Item) -> tuple[object, ...]:
    """Equal for entries that hold the same bytes and say the same: where small files lie does not count."""
    return item._replace(content=b"", depth=0) if item.content_hash else item
