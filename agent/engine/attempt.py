"""One pass over the sources within one session: from the walk to the commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.engine import closing
from agent.engine.closing import Close
from agent.engine.contents import Contents
from agent.engine.desk import Desk
from agent.engine.globs import Rules
from agent.engine.intake import Intake, Tally
from agent.engine.journal import BegunPack, Journal, Member
from agent.engine.known import Known
from agent.engine.locations import Locations
from agent.engine.memory import Memory, MemoryWriter, Totals, memos
from agent.engine.orders import BackupOrder, Progress
from agent.engine.outflow import Outflow
from agent.engine.pages import PageWriter, Table
from agent.engine.recall import Recall
from agent.engine.segments import Segments
from agent.engine.stow import Stow, StowSettings
from agent.engine.walk import Walk
from agent.vault import BackupStatistics, Committed, OpenSession, PacksMissing, Vault
from shared.format.head import Head, HeadStatistics
from shared.format.keys import VaultKeys
from shared.format.names import PackName
from shared.format.refs import IndexRef


@dataclass(frozen=True, slots=True)
class Start:
    """Where an attempt begins."""

    roots: tuple[bytes, ...]
    opened: OpenSession
    segments: Segments
    adopted: tuple[BegunPack, ...]
    """Packs that an earlier run of this session brought into the vault."""
    members: tuple[Member, ...]
    """Small files that earlier runs packed, wherever that was."""
    unusable: frozenset[PackName]
    """Packs whose chunks count as absent."""
    started: datetime


@dataclass(frozen=True, slots=True)
class Done:
    committed: Committed
    tally: Tally
    new_bytes: int
    sent_bytes: int
    packs: int


@dataclass(frozen=True, slots=True)
class OwnPacksLost:
    """Packs of this session are not in the vault as they were sent; `left` are."""

    left: tuple[BegunPack, ...]


class Attempt:
    def __init__(
        self, start: Start, order: BackupOrder, vault: Vault, keys: VaultKeys, desk: Desk, progress: Progress
    ) -> None:
        self._start, self._order, self._vault = start, order, vault
        self._keys, self._desk, self._progress = keys, desk, progress
        self._session = start.opened.session
        self._known = Known(Locations(start.segments.opened, start.unusable))
        self._tally = Tally()
        for pack in start.adopted:
            self._known.place(pack)

    def run(self) -> Done | OwnPacksLost | PacksMissing:
        journal = Journal(self._desk.journal, self._keys, self._session, self._start.adopted)
        try:
            return self._run(journal)
        finally:
            journal.close()

    def _run(self, journal: Journal) -> Done | OwnPacksLost | PacksMissing:
        settings = StowSettings(
            self._session, self._order.threads, self._order.pack_target_bytes, self._order.entropy
        )  # fmt: skip
        pending = self._desk.pending(self._session)
        with (
            MemoryWriter(pending, self._keys.local) as memory,
            Stow(settings, self._vault, self._keys, self._known, journal, self._progress) as stow,
        ):
            used, table = self._take(stow, memory)
            memory.close(Totals(self._tally.files + self._tally.directories, self._tally.logical_bytes))
            packs = (*self._start.adopted, *stow.packs)
            there = self._there(packs)
            if len(there) < len(packs):
                return OwnPacksLost(there)
            return self._close(journal, stow, packs, used | table.chunks, table)

    def _take(self, stow: Stow, memory: MemoryWriter) -> tuple[set[bytes], Table]:
        """Everything the walk finds, into chunks and pages."""
        recall = Recall(self._known, self._desk.files, self._keys.local)
        recall.learn(self._start.members)
        pages = PageWriter(stow, self._keys)
        contents = Contents(stow, self._keys, recall, self._progress)
        outflow = Outflow(stow, pages, memory)
        intake = Intake(self._known, self._memory(), contents, outflow, self._tally)
        for found in self._walk().entries(self._start.roots):
            self._progress.advance(1, intake.take(found), found.path)
        contents.flush()
        outflow.wait()
        table = pages.finish()
        stow.finish()
        return outflow.used, table

    def _memory(self) -> Memory:
        """Of the last run; nothing, when every file is to be read."""
        return Memory(() if self._order.reread else memos(self._desk.files, self._keys.local))

    def _walk(self) -> Walk:
        rules = Rules.of(self._order.include, self._order.exclude)
        own = self._desk.folder.stat()
        return Walk(rules, self._order.one_file_system, self._tally.skip, frozenset({(own.st_dev, own.st_ino)}))

    def _there(self, packs: Sequence[BegunPack]) -> tuple[BegunPack, ...]:
        """Those that the vault has, as large as they were sent: asked before the head is written, which is for good."""
        if not packs:
            return ()
        uploaded = self._vault.uploaded_packs(self._session)
        return tuple(pack for pack in packs if uploaded.get(pack.ref.name) == pack.ref.size_bytes)

    def _close(
        self, journal: Journal, stow: Stow, packs: Sequence[BegunPack], chunks: set[bytes], table: Table
    ) -> Done | PacksMissing:
        needs = self._known.needs(chunks)
        sizes = self._start.segments.sizes_bytes
        ended = self._order.now()
        close = Close(
            head=self._head(table, stow, ended),
            needed_packs=needs.packs,
            needed_indexes=tuple(IndexRef(name, sizes[name]) for name in needs.segments),
            packs=packs,
            statistics=self._statistics(stow, (ended - self._start.started).total_seconds()),
            entropy=self._order.entropy,
        )
        objects = closing.prepare(close, self._vault, self._keys)
        # Journal before index: from here on a rerun writes the same bytes, and finishes what this run began.
        journal.close_session(objects)
        committed = closing.write(objects, self._vault, self._session)
        if isinstance(committed, PacksMissing):
            return committed
        sent = stow.sent_bytes + sum(len(each.body) for each in objects.objects)
        return Done(committed, self._tally, stow.new_bytes, sent, len(stow.packs))

    def _head(self, table: Table, stow: Stow, ended: datetime) -> Head:
        tally = self._tally
        return Head(
            session=self._session,
            device=self._vault.device,
            host=self._order.host,
            paths=self._start.roots,
            started=self._start.started,
            ended=ended,
            statistics=HeadStatistics(
                files=tally.files,
                directories=tally.directories,
                logical_bytes=tally.logical_bytes,
                new_bytes=stow.new_bytes,
                skipped=tally.skipped_count,
            ),
            skipped=tuple(tally.skipped),
            indexes=(),
            depth=table.depth,
            pages=table.rows,
        )

    def _statistics(self, stow: Stow, seconds: float) -> BackupStatistics:
        tally = self._tally
        return BackupStatistics(
            files=tally.files,
            directories=tally.directories,
            logical_bytes=tally.logical_bytes,
            new_bytes=stow.new_bytes,
            sent_bytes=stow.sent_bytes,
            unreadable=tally.skipped_count,
            seconds=seconds,
        )
