"""A restore: a snapshot, or some paths of it, back onto a disk, whole or reported file by file."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from agent.engine.attributes import apply, apply_beside
from agent.engine.ground import Ground, spot_of
from agent.engine.landing import Landing
from agent.engine.orders import Progress, RestoreOrder, RestoreReport, Trouble, hurt, shown
from agent.engine.outcome import Outcome
from agent.engine.places import UnsafePath
from agent.engine.refill import Refill
from agent.engine.snapshot import Snapshot, inside
from agent.engine.walk import reason
from agent.vault import Reader
from shared.format.errors import Damaged
from shared.format.items import Item, ItemKind
from shared.format.items import order as depth_first
from shared.format.keys import VaultKeys


def restore(order: RestoreOrder, reader: Reader, keys: VaultKeys, progress: Progress) -> RestoreReport:
    """Restores what the order names. What cannot be had is reported, and everything else restored.

    With `overwrite` a file appears under its name when it is whole, even if the restore is killed; without, a killed
    restore may leave unfinished files, which a second one with `overwrite` replaces.

    Raises `VaultObjectMissing` or `Damaged` when the snapshot itself cannot be opened, `TargetFull` when there is no
    room, and what the vault raises.
    """
    clock = time.perf_counter()
    snapshot = Snapshot.open(reader, keys, order.session)
    outcome = Outcome(progress)
    for trouble in snapshot.troubles:
        outcome.damaged(trouble)
    with closing(Ground(order.target, order.overwrite)) as ground, Refill(snapshot, outcome, order.threads) as refill:
        _Restore(snapshot, ground, refill, outcome, order).run()
    return RestoreReport(
        session=order.session,
        files=outcome.files,
        directories=outcome.directories,
        logical_bytes=outcome.logical_bytes,
        read_bytes=outcome.read_bytes,
        packs=len(outcome.packs),
        seconds=time.perf_counter() - clock,
        skipped=tuple(outcome.left_alone),
        damaged=tuple(outcome.hurt),
    )


type _Step = Callable[[Item], None]


class _Restore:
    def __init__(
        self, snapshot: Snapshot, ground: Ground, refill: Refill, outcome: Outcome, order: RestoreOrder
    ) -> None:
        self._snapshot, self._ground, self._refill, self._outcome = snapshot, ground, refill, outcome
        self._overwrite = order.overwrite
        self._paths = _outermost(order.paths)
        self._folders: list[Item] = []
        self._links: list[Item] = []
        self._stands_for: dict[bytes, bytes] = {}
        """Path of a file that was not asked for, to the first of its other names that was."""
        self._seen_all = True
        """Whether every page could be read: what was not seen must not be taken for restored."""

    def run(self) -> None:
        self._announce()
        for path in self._paths:
            for item in self._items(path):
                self._guarded(item, self._make)
        self._refill.finish()
        # Links when their files are there; folders last and deepest first: what is made in them changes their times.
        for item in self._links:
            self._guarded(item, self._link)
        for item in reversed(self._folders):
            self._guarded(item, self._close_folder)

    def _announce(self) -> None:
        if self._paths == (b"",):
            statistics = self._snapshot.head.statistics
            self._outcome.progress.expect(statistics.files + statistics.directories, statistics.logical_bytes)

    def _items(self, below: bytes) -> Iterator[Item]:
        found = False
        for page in self._snapshot.pages(below):
            if page.trouble is not None:
                self._outcome.damaged(page.trouble)
                self._seen_all = False
            for item in page.items:
                if inside(item.path, below):
                    found = True
                    yield item
        if below and not found:
            self._outcome.skipped(Trouble(shown(below), "it is not in the snapshot"))

    def _guarded(self, item: Item, step: _Step) -> None:
        """One entry's trouble stays its own."""
        try:
            step(item)
        except Damaged as damage:
            self._outcome.damaged(hurt(item.path, damage))
            self._outcome.give_up(item)
        except (UnsafePath, OSError) as error:
            self._outcome.skipped(Trouble(shown(item.path), _why(error)))
            self._outcome.give_up(item)
            self._outcome.stop_if_full(error)

    def _make(self, item: Item) -> None:
        match item.kind:
            case ItemKind.DIRECTORY:
                if self._ground.make_folder(item.path) or self._overwrite:
                    self._folders.append(item)
            case ItemKind.FILE:
                self._file(item)
            case ItemKind.HARD_LINK:
                self._hard_link(item)
            case ItemKind.SOCKET:
                return
            case _:
                spot = spot_of(item.path)
                self._ground.make_special(item, spot)
                apply_beside(item, spot.name, self._ground.folder(spot.parents))
                self._outcome.restored(item)

    def _file(self, item: Item) -> None:
        spot = spot_of(item.path)
        segments = self._snapshot.segments(item)
        pieces = sum(segment.chunk is not None for segment in segments)
        landing = Landing(item, spot, pieces, self._ground, self._outcome)
        landing.start()
        self._refill.add(landing, segments)

    def _hard_link(self, item: Item) -> None:
        """A link whose file was not asked for: the first such link becomes the file."""
        if any(inside(item.target, path) for path in self._paths) or item.target in self._stands_for:
            self._links.append(item)
            return
        file = self._snapshot.find(item.target)
        if file is None or file.kind is not ItemKind.FILE:
            raise Damaged(shown(item.path), "the file that it is another name of is not in the snapshot")
        self._stands_for[item.target] = item.path
        self._file(file._replace(path=item.path))

    def _link(self, item: Item) -> None:
        target = self._stands_for.get(item.target, item.target)
        if not self._seen_all and target == item.target:
            self._snapshot.find(target)  # raises `Damaged` when its page is one of those that cannot be read
        if target in self._outcome.not_restored:
            self._outcome.skipped(Trouble(shown(item.path), "the file that it is another name of was not restored"))
            return
        self._ground.make_hard_link(spot_of(target), spot_of(item.path))
        self._outcome.restored(item)

    def _close_folder(self, item: Item) -> None:
        handle = self._ground.open_folder(item.path)
        try:
            for trouble in apply(item, handle):
                self._outcome.skipped(Trouble(shown(item.path), trouble))
        finally:
            os.close(handle)
        self._outcome.restored_folder(item)


def _why(error: UnsafePath | OSError) -> str:
    match error:
        case UnsafePath():
            return str(error)
        case FileExistsError():
            return "it exists"
        case _:
            return reason(error)


def _outermost(paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """The paths in order, without those inside another; no path at all means everything."""
    kept: list[bytes] = []
    for path in sorted((path.strip(b"/") for path in paths or (b"",)), key=depth_first):
        if not any(inside(path, outer) for outer in kept):
            kept.append(path)
    return tuple(kept)
