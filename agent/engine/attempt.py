"""One pass over the sources within one session: from the walk to the commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.engine import closing
from agent.engine.closing import Close
from agent.engine.contents import Contents
from agent.engine.intake import Intake, Tally
from agent.engine.journal import BegunPack, Journal, Member
from agent.engine.known import Known
from agent.engine.locations import Locations
from agent.engine.memory import Memory, MemoryWriter, Totals, memos
from agent.engine.outflow import Outflow
from agent.engine.pages import PageWriter, Table
from agent.engine.recall import Recall
from agent.engine.renewal import WHOLE, Renewed
from agent.engine.segments import Segments
from agent.engine.setting import Setting
from agent.engine.stow import Stow, StowSettings
from agent.vault import Committed, OpenSession, PacksMissing
from shared.domain.commits import Statistics
from shared.format.head import Head, HeadStatistics
from shared.format.refs import IndexRef


@dataclass(frozen=True, slots=True)
class Start:
    """Where an attempt begins."""

    opened: OpenSession
    segments: Segments
    adopted: tuple[BegunPack, ...]
    """Packs that an earlier run of this session brought into the vault."""
    members: tuple[Member, ...]
    """Small files that earlier runs packed, wherever that was."""
    locations: Locations
    """Of the chunks that may be reused."""
    renewed: tuple[Renewed, ...]
    started: datetime


@dataclass(frozen=True, slots=True)
class Done:
    committed: Committed
    tally: Tally
    new_bytes: int
    sent_bytes: int
    packs: int
    used: Mapping[bytes, int]
    """What the snapshot needs of each chunk, in bytes of plaintext."""
    renewed: tuple[Renewed, ...]


@dataclass(frozen=True, slots=True)
class OwnPacksLost:
    """Packs of this session are not in the vault as they were sent; `left` are."""

    left: tuple[BegunPack, ...]


type Outcome = Done | OwnPacksLost | PacksMissing


class Attempt:
    """Use once."""

    def __init__(self, setting: Setting, start: Start) -> None:
        self._setting, self._start = setting, start
        self._session = start.opened.session
        self._known = Known(start.locations)
        self._tally = Tally()

    def run(self) -> Outcome:
        for pack in self._start.adopted:
            self._known.place(pack)
        setting = self._setting
        journal = Journal(setting.desk.journal, setting.keys, self._session, self._start.adopted)
        try:
            return self._run(journal)
        finally:
            journal.close()

    def _run(self, journal: Journal) -> Outcome:
        with self._stow(journal) as stow:
            used, table = self._take(stow)
            packs = (*self._start.adopted, *stow.packs)
            there = self._there(packs)
            if len(there) < len(packs):
                return OwnPacksLost(there)
            return self._close(journal, stow, self._closing_of(stow, packs, used, table), used)

    def _stow(self, journal: Journal) -> Stow:
        setting, order = self._setting, self._setting.order
        settings = StowSettings(self._session, order.threads, order.pack_target_bytes, order.entropy)
        return Stow(settings, setting.vault, setting.keys, self._known, journal, setting.progress)

    def _take(self, stow: Stow) -> tuple[Mapping[bytes, int], Table]:
        """Everything the walk finds into chunks and pages; what is needed of each chunk, and the way to the pages."""
        setting = self._setting
        pages = PageWriter(stow, setting.keys)
        with MemoryWriter(setting.desk.pending(self._session), setting.keys.local) as memory:
            outflow = Outflow(stow, pages, memory)
            self._take_all(Contents(stow, setting.keys, self._recall(), setting.progress), outflow)
            memory.close(Totals(self._tally.files + self._tally.directories, self._tally.logical_bytes))
        table = pages.finish()
        stow.finish()
        return outflow.used | dict.fromkeys(table.chunks, WHOLE), table

    def _take_all(self, contents: Contents, outflow: Outflow) -> None:
        intake = Intake(self._known, self._memory(), contents, outflow, self._tally)
        for found in self._setting.walk(self._tally.skip).entries(self._setting.roots):
            self._setting.progress.advance(1, intake.take(found), found.path)
        contents.flush()
        outflow.wait()

    def _memory(self) -> Memory:
        """Of the last run; nothing, when every file is to be read."""
        setting = self._setting
        return Memory(
            () if setting.order.reread or setting.order.anew else memos(setting.desk.files, setting.keys.local)
        )

    def _recall(self) -> Recall:
        recall = Recall(self._known, self._setting.desk.files, self._setting.keys.local)
        recall.learn(self._start.members)
        return recall

    def _there(self, packs: Sequence[BegunPack]) -> tuple[BegunPack, ...]:
        """Those that the vault has, as large as they were sent: asked before the head is written, which is for good."""
        if not packs:
            return ()
        uploaded = self._setting.vault.uploaded_packs(self._session)
        return tuple(pack for pack in packs if uploaded.get(pack.ref.name) == pack.ref.size_bytes)

    def _close(self, journal: Journal, stow: Stow, close: Close, used: Mapping[bytes, int]) -> Done | PacksMissing:
        vault = self._setting.vault
        objects = closing.prepare(close, vault, self._setting.keys)
        # Journal before index: from here on a rerun writes the same bytes, and finishes what this run began.
        journal.close_session(objects)
        committed = closing.write(objects, vault, self._session)
        if isinstance(committed, PacksMissing):
            return committed
        sent_bytes = stow.sent_bytes + sum(len(each.body) for each in objects.objects)
        return Done(committed, self._tally, stow.new_bytes, sent_bytes, len(stow.packs), used, self._start.renewed)

    def _closing_of(self, stow: Stow, packs: Sequence[BegunPack], used: Iterable[bytes], table: Table) -> Close:
        needs = self._known.needs(used)
        sizes = self._start.segments.sizes_bytes
        ended = self._setting.order.now()
        return Close(
            head=self._head(table, stow, ended),
            needed_packs=needs.packs,
            needed_indexes=tuple(IndexRef(name, sizes[name]) for name in needs.segments),
            packs=packs,
            statistics=self._statistics(stow, ended),
            entropy=self._setting.order.entropy,
            backup_set=self._setting.order.backup_set,
        )

    def _head(self, table: Table, stow: Stow, ended: datetime) -> Head:
        tally = self._tally
        return Head(
            session=self._session,
            device=self._setting.vault.device,
            host=self._setting.order.host,
            paths=self._setting.roots,
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

    def _statistics(self, stow: Stow, ended: datetime) -> Statistics:
        tally = self._tally
        return Statistics(
            files=tally.files,
            directories=tally.directories,
            logical_bytes=tally.logical_bytes,
            new_bytes=stow.new_bytes,
            sent_bytes=stow.sent_bytes,
            unreadable=tally.skipped_count,
            seconds=(ended - self._start.started).total_seconds(),
        )
