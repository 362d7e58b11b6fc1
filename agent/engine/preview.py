"""What a restore would do, found out without reading a file's data or touching the disk."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.engine.globs import Rules
from agent.engine.ground import Ground
from agent.engine.orders import RestoreOrder, Trouble, shown
from agent.engine.places import UnsafePath
from agent.engine.selection import Entry, Selection, outermost
from agent.engine.snapshot import Snapshot
from agent.engine.verdicts import NEW, Act, Verdict, judge, judge_link
from agent.engine.walk import reason
from agent.overwrite import Overwrite
from agent.vault import Reader
from shared.domain.ids import SessionId
from shared.format.items import Item, ItemKind
from shared.format.keys import VaultKeys

type Look = Callable[[bytes], os.stat_result | None]


class Change(NamedTuple):
    path: str
    """Printable."""
    act: Act
    size_bytes: int
    reason: str


@dataclass(slots=True)
class Preview:
    """`changes` are all but the unchanged."""

    session: SessionId
    create: int = 0
    replace: int = 0
    unchanged: int = 0
    keep: int = 0
    logical_bytes: int = 0
    """Of what would be written."""
    changes: list[Change] = field(default_factory=list[Change])
    troubles: list[Trouble] = field(default_factory=list[Trouble])

    def damaged(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)

    def skipped(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)

    def add(self, item: Item, verdict: Verdict) -> None:
        match verdict.act:
            case Act.CREATE:
                self.create += 1
            case Act.REPLACE:
                self.replace += 1
            case Act.LEAVE:
                self.unchanged += 1
                return
            case Act.KEEP:
                self.keep += 1
        self.logical_bytes += 0 if verdict.act is Act.KEEP else item.size
        self.changes.append(Change(shown(item.path), verdict.act, item.size, verdict.reason))


def preview(order: RestoreOrder, reader: Reader, keys: VaultKeys) -> Preview:
    """Judges every entry as `restore` would. Raises as `restore` does when the snapshot cannot be opened."""
    snapshot = Snapshot.open(reader, keys, order.session)
    found = Preview(order.session, troubles=list(snapshot.troubles))
    selection = Selection(snapshot, outermost(order.paths), Rules.of(order.include, order.exclude))
    entries = (entry for entry in selection.entries(found) if entry.item.kind is not ItemKind.SOCKET)
    if not order.target.exists():
        for item, _ in entries:
            found.add(item, NEW)
        return found
    with closing(Ground(order.target, order.overwrite.replaces, look_only=True)) as ground:
        for item, verdict in _judged(entries, order, ground.status, found):
            found.add(item, verdict)
    return found


def _judged(
    entries: Iterator[Entry], order: RestoreOrder, look: Look, found: Preview
) -> Iterator[tuple[Item, Verdict]]:
    future = _Future(order.overwrite, look)
    for item, asked in entries:
        try:
            there = future.look(item.path)
            verdict = future.verdict(item, there)
        except (OSError, UnsafePath) as error:
            found.skipped(Trouble(shown(item.path), reason(error) if isinstance(error, OSError) else str(error)))
            continue
        if asked or there is None:
            future.learn(item, there, verdict)
            yield item, verdict


@dataclass(frozen=True, slots=True)
class _Future:
    """What would be where by now, had the entries so far been restored."""

    rule: Overwrite
    now: Look
    renewed: set[bytes] = field(default_factory=set[bytes])
    kept: set[bytes] = field(default_factory=set[bytes])

    def look(self, path: bytes) -> os.stat_result | None:
        return None if path.rpartition(b"/")[0] in self.renewed else self.now(path)

    def verdict(self, item: Item, there: os.stat_result | None) -> Verdict:
        if item.kind is not ItemKind.HARD_LINK:
            return judge(self.rule, item, there)
        if item.target in self.kept:
            return Verdict(Act.KEEP, "the file that it is another name of would not be restored")
        return judge_link(self.rule, item, there, None if item.target in self.renewed else self.look(item.target))

    def learn(self, item: Item, there: os.stat_result | None, verdict: Verdict) -> None:
        if verdict.act is Act.KEEP:
            self.kept.add(item.path)
        elif verdict.act is not Act.LEAVE and not _only_attributes(item, there):
            self.renewed.add(item.path)


def _only_attributes(item: Item, there: os.stat_result | None) -> bool:
    """A folder that gets other attributes keeps what is in it."""
    return item.kind is ItemKind.DIRECTORY and there is not None and stat.S_ISDIR(there.st_mode)
