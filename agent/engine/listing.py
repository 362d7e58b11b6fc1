"""What is in a snapshot."""

from collections.abc import Iterator

from agent.engine.orders import shown
from agent.engine.snapshot import Snapshot, inside
from agent.vault import Reader
from shared.domain.errors import NotFound
from shared.domain.ids import SessionId
from shared.format.errors import Damaged
from shared.format.items import Item
from shared.format.keys import VaultKeys


def list_items(reader: Reader, keys: VaultKeys, session: SessionId, below: bytes = b"") -> Iterator[Item]:
    """The item at `below` and everything in it, in order. Slashes at the ends do no harm.

    Raises `VaultObjectMissing` when there is no such snapshot, `NotFound` when no such path is in it, and `Damaged`
    behind the last item when a page could not be read: what can be listed is.
    """
    wanted = below.strip(b"/")
    damage: Damaged | None = None
    found = not wanted
    for page in Snapshot.open(reader, keys, session).pages(wanted):
        damage = damage or page.damage
        for item in page.items:
            if inside(item.path, wanted):
                found = True
                yield item
    if damage is not None:
        raise damage
    if not found:
        raise NotFound(f"{shown(wanted)} is not in the snapshot")


def find_item(reader: Reader, keys: VaultKeys, session: SessionId, path: bytes) -> Item | None:
    """The item at `path`, or None. Reads one page, however large the snapshot is. Raises like `list_items`."""
    return Snapshot.open(reader, keys, session).find(path.strip(b"/"))
