"""A restore: a snapshot, or some paths of it, back onto a disk, whole or reported file by file."""

import os
import time
from collections.abc import Callable
from contextlib import closing

from agent.engine.attributes import apply, apply_beside
from agent.engine.globs import Rules
from agent.engine.ground import Ground, spot_of
from agent.engine.landing import Landing
from agent.engine.orders import Progress, RestoreOrder, RestoreReport, Trouble, hurt, shown
from agent.engine.outcome import Outcome
from agent.engine.places import UnsafePath
from agent.engine.refill import Refill
from agent.engine.selection import Selection, Unheard, outermost
from agent.engine.snapshot import Snapshot
from agent.engine.verdicts import NEW, Act, Verdict, judge, judge_link
from agent.engine.verify import Verified, verify
from agent.engine.walk import reason
from agent.overwrite import Overwrite
from agent.vault import Reader
from shared.format.errors import Damaged
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys


def restore(order: RestoreOrder, reader: Reader, keys: VaultKeys, progress: Progress) -> RestoreReport:
    """Restores what the order names. What cannot be had is reported, and everything else restored.

    Where it may overwrite, a file appears under its name when it is whole, even if the restore is killed; with `never`
    a killed restore may leave unfinished files, which a second one with `changed` or `always` replaces.

    Raises `VaultObjectMissing` or `Damaged` when the snapshot itself cannot be opened, `TargetFull` when there is no
    room, and what the vault raises.
    """
    clock = time.perf_counter()
    snapshot = Snapshot.open(reader, keys, order.session)
    outcome = Outcome(progress)
    for trouble in snapshot.troubles:
        outcome.damaged(trouble)
    with (
        closing(Ground(order.target, order.overwrite.replaces)) as ground,
        Refill(snapshot, outcome, order.threads) as refill,
    ):
        selection = Selection(snapshot, outermost(order.paths), Rules.of(order.include, order.exclude))
        _Restore(selection, ground, refill, outcome, order.overwrite).run()
        verified = _verified(selection, ground, outcome, order.threads) if order.verify else None
    return RestoreReport(
        session=order.session,
        files=outcome.files,
        directories=outcome.directories,
        unchanged=outcome.unchanged,
        logical_bytes=outcome.logical_bytes,
        read_bytes=outcome.read_bytes,
        packs=len(outcome.packs),
        seconds=time.perf_counter() - clock,
        skipped=tuple(outcome.left_alone),
        damaged=tuple(outcome.hurt),
        verified=None if verified is None else verified.entries,
        differing=() if verified is None else verified.differing,
    )


def _verified(selection: Selection, ground: Ground, outcome: Outcome, threads: int) -> Verified:
    """Of all that was asked for, but for what the report names already."""
    entries = selection.entries(Unheard())
    wanted = (item for item, asked in entries if asked and item.kind is not ItemKind.SOCKET)
    items = (item for item in wanted if item.path not in outcome.not_restored)
    return verify(selection.snapshot, ground, items, threads)


type _Step = Callable[[Item], None]


class _Restore:
    def __init__(
        self, selection: Selection, ground: Ground, refill: Refill, outcome: Outcome, overwrite: Overwrite
    ) -> None:
        self._selection, self._snapshot = selection, selection.snapshot
        self._ground, self._refill, self._outcome, self._rule = ground, refill, outcome, overwrite
        self._fresh: set[bytes] = set()
        """Folders that this restore made: nobody else has put anything into them."""
        self._folders: list[Item] = []
        self._links: list[Item] = []
        self._stands_for: dict[bytes, bytes] = {}
        """Path of a file that was not asked for, to the first of its other names that was."""
        self._entries = self._bytes = 0

    def run(self) -> None:
        if self._selection.everything:
            statistics = self._snapshot.head.statistics
            self._outcome.progress.expect(statistics.files + statistics.directories, statistics.logical_bytes)
        for item, asked in self._selection.entries(self._outcome):
            self._guarded(item, self._make if asked else self._make_way)
            self._entries, self._bytes = self._entries + 1, self._bytes + item.size
        # Most of the data is still to come when all names are known.
        self._outcome.progress.expect(self._entries, self._bytes)
        self._refill.finish()
        # Links when their files are there; folders last and deepest first: what is made in them changes their times.
        for item in self._links:
            self._guarded(item, self._link)
        for item in reversed(self._folders):
            self._guarded(item, self._close_folder)

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

    def _make_way(self, folder: Item) -> None:
        if self._ground.make_way(folder.path):
            self._fresh.add(folder.path)
            self._folders.append(folder)

    def _make(self, item: Item) -> None:
        if item.kind is ItemKind.SOCKET:
            return
        if item.kind is ItemKind.HARD_LINK:
            self._hard_link(item)
        elif self._may(self._verdict(item), item):
            self._make_one(item)

    def _make_one(self, item: Item) -> None:
        match item.kind:
            case ItemKind.DIRECTORY:
                self._folder(item)
            case ItemKind.FILE:
                self._file(item)
            case _:
                spot = spot_of(item.path)
                self._ground.make_special(item, spot)
                apply_beside(item, spot.name, self._ground.folder(spot.parents))
                self._outcome.restored(item)

    def _verdict(self, item: Item) -> Verdict:
        if item.path.rpartition(b"/")[0] in self._fresh:
            return NEW
        return judge(self._rule, item, self._ground.status(item.path))

    def _may(self, verdict: Verdict, item: Item) -> bool:
        """Whether there is something to do; else it is counted or reported."""
        if verdict.act is Act.KEEP:
            self._outcome.skipped(Trouble(shown(item.path), verdict.reason))
            self._outcome.give_up(item)
        elif verdict.act is Act.LEAVE and not (item.kind is ItemKind.DIRECTORY and self._rule.resets_folders):
            self._outcome.left(item)
        else:
            return True
        return False

    def _folder(self, item: Item) -> None:
        if self._ground.make_folder(item.path):
            self._fresh.add(item.path)
        self._folders.append(item)

    def _file(self, item: Item) -> None:
        spot = spot_of(item.path)
        segments = self._snapshot.segments(item)
        pieces = sum(segment.chunk is not None for segment in segments)
        landing = Landing(item, spot, pieces, self._ground, self._outcome)
        landing.start()
        self._refill.add(landing, segments)

    def _hard_link(self, item: Item) -> None:
        """A link whose file was not asked for: the first such link becomes the file."""
        if item.target in self._stands_for or self._selection.has(item.target):
            self._links.append(item)
            return
        file = self._snapshot.find(item.target)
        if file is None or file.kind is not ItemKind.FILE:
            raise Damaged(shown(item.path), "the file that it is another name of is not in the snapshot")
        self._stands_for[item.target] = item.path
        stand_in = file._replace(path=item.path)
        if self._may(self._verdict(stand_in), stand_in):
            self._file(stand_in)

    def _link(self, item: Item) -> None:
        target = self._stands_for.get(item.target, item.target)
        if not self._selection.seen_all and target == item.target:
            self._snapshot.find(target)  # raises `Damaged` when its page is one of those that cannot be read
        if target in self._outcome.not_restored:
            self._outcome.skipped(Trouble(shown(item.path), "the file that it is another name of was not restored"))
            self._outcome.give_up(item)
            return
        verdict = judge_link(self._rule, item, self._ground.status(item.path), self._ground.status(target))
        if self._may(verdict, item):
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
