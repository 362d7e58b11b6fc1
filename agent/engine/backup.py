"""A backup: everything below some paths, as it is now, as one snapshot in the vault."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from agent.engine import closing, journal, memory, renewal, segments, usage
from agent.engine.attempt import Attempt, Done, OwnPacksLost, Start
from agent.engine.desk import Desk
from agent.engine.journal import BegunPack, Interrupted
from agent.engine.locations import Locations
from agent.engine.orders import BackupOrder, BackupReport, Progress, Trouble
from agent.engine.renewal import Renewed
from agent.engine.segments import Segments
from agent.engine.setting import Setting
from agent.engine.survey import survey
from agent.engine.usage import Usage
from agent.engine.walk import real_roots
from agent.vault import Committed, OpenSession, PacksMissing, Vault
from shared.domain.errors import Conflict, NotFound
from shared.format.keys import VaultKeys
from shared.format.names import PackName

TRIES = 4
"""Sessions or passes, when packs are lost on the way."""


def backup(order: BackupOrder, vault: Vault, keys: VaultKeys, progress: Progress) -> BackupReport:
    """Backs up `order.paths`. What an earlier run left open is finished first, or gone on with.

    Raises `NotFound` when none of the paths exists, `Conflict` when another run is under way on this device or the
    vault keeps losing packs, and whatever the vault raises. After any error the next call goes on from there.
    """
    if not any(os.path.lexists(path) for path in order.paths):
        raise NotFound(f"nothing to back up: there is no {', and no '.join(map(str, order.paths))}")
    clock = time.perf_counter()
    roots = real_roots(order.paths)
    setting = Setting(order, roots, vault, keys, Desk(order.cache_dir, keys, roots), progress)
    with setting.desk.mine_alone(), _expectation(setting):
        opened, done = _Backup(setting).run()
    return _report(opened, done, time.perf_counter() - clock)


class _Backup:
    def __init__(self, setting: Setting) -> None:
        self._setting, self._vault, self._desk = setting, setting.vault, setting.desk
        self._started: datetime = setting.order.now()
        self._gone: frozenset[PackName] = frozenset()
        self._usage = usage.read(self._desk.usage, setting.keys.local)

    def run(self) -> tuple[OpenSession, Done]:
        """The session that was committed in the end."""
        left = journal.read(self._desk.journal, self._setting.keys)
        opened = self._open(left)
        adopted = self._adopted(left, opened)
        for _ in range(TRIES):
            match Attempt(self._setting, self._start(opened, left, adopted)).run():
                case Done() as done:
                    self._settle(done)
                    return opened, done
                case OwnPacksLost(still_there):
                    adopted = still_there
                case PacksMissing(packs):
                    # The refs of a session are written once, so what replaces the lost packs needs a new session.
                    self._gone |= frozenset(packs)
                    self._vault.abandon(opened.session)
                    opened, adopted = self._vault.open_session(None), ()
        raise Conflict(f"the vault lost packs in {TRIES} attempts, one after the other; nothing was committed")

    def _open(self, left: Interrupted | None) -> OpenSession:
        """The session of today's run: the one that was left open, unless that only lacks its commit."""
        opened = self._vault.open_session(left.session if left else None)
        if left is None or left.closing is None:
            return opened
        if opened.resumed:
            self._finish(left, left.closing)
            return self._vault.open_session(None)
        # The session is over: committed just before the crash, or given up by the service.
        if any(info.session == left.session for info in self._vault.snapshots()):
            self._desk.promote(left.session)
        return opened

    def _finish(self, left: Interrupted, objects: journal.Closing) -> None:
        """Commits what was complete but for its commit."""
        if isinstance(closing.write(objects, self._vault, left.session), Committed):
            self._desk.promote(left.session)
        else:
            self._vault.abandon(left.session)

    def _adopted(self, left: Interrupted | None, opened: OpenSession) -> tuple[BegunPack, ...]:
        """The packs of an interrupted run that really arrived."""
        if left is None or left.session != opened.session:
            return ()
        uploaded = self._vault.uploaded_packs(opened.session)
        return tuple(pack for pack in left.packs if uploaded.get(pack.ref.name) == pack.ref.size_bytes)

    def _start(self, opened: OpenSession, left: Interrupted | None, adopted: tuple[BegunPack, ...]) -> Start:
        self._desk.sweep()
        begun = (*adopted, *(left.packs if left else ()))
        known = self._known_segments(opened)
        locations = Locations(known.opened, opened.do_not_reuse | self._gone)
        renewed = self._renewed(locations)
        if renewed:
            absent = frozenset(each.pack for each in renewed)
            locations = Locations(known.opened, opened.do_not_reuse | self._gone | absent)
        return Start(
            opened=opened,
            segments=known,
            adopted=adopted,
            members=tuple(member for pack in begun for member in pack.members),
            locations=locations,
            renewed=renewed,
            started=self._started,
        )

    def _known_segments(self, opened: OpenSession) -> Segments:
        """What the vault has; nothing for a backup that stores everything anew."""
        if self._setting.order.anew:
            return Segments((), {})
        reader = self._vault.session_reader(opened.session)
        # Ours must sort last, for that is where readers look: after a resumed session, or a clock put back, others may.
        before = [name for name in opened.live_indexes if name.session < opened.session]
        return segments.load(before, reader, self._setting.keys, self._desk.indexes)

    def _renewed(self, locations: Locations) -> tuple[Renewed, ...]:
        """By what the last snapshot needs, as this run will need most of it too."""
        uses = renewal.weigh(self._usage.used, locations)
        return tuple(renewal.plan(uses, self._usage.credit_bytes, self._setting.order.renewal_limit))

    def _settle(self, done: Done) -> None:
        # Commit before memory before journal: a crash in between is recognised, and costs time only.
        self._desk.promote(done.committed.session)
        renewed_bytes = sum(each.used_bytes for each in done.renewed)
        credit_bytes = renewal.credit_after(self._usage.credit_bytes, done.sent_bytes, renewed_bytes)
        usage.write(self._desk.usage, self._setting.keys.local, Usage(credit_bytes, done.used))
        self._desk.journal.unlink()


@contextmanager
def _expectation(setting: Setting) -> Generator[None]:
    """Tells what the run will come to: what the last one did, or, the first time, what a count beside it finds."""
    last = memory.totals(setting.desk.files, setting.keys.local)
    if last is None:
        with survey(setting.walk(lambda _path, _why: None), setting.roots, setting.progress):
            yield
    else:
        setting.progress.expect(last.entries, last.logical_bytes)
        yield


def _report(opened: OpenSession, done: Done, seconds: float) -> BackupReport:
    tally = done.tally
    return BackupReport(
        session=done.committed.session,
        committed_at=done.committed.committed_at,
        resumed=opened.resumed,
        files=tally.files,
        directories=tally.directories,
        unchanged=tally.unchanged,
        logical_bytes=tally.logical_bytes,
        new_bytes=done.new_bytes,
        sent_bytes=done.sent_bytes,
        packs=done.packs,
        seconds=seconds,
        skipped_count=tally.skipped_count,
        skipped=tuple(tally.skipped),
        changing=tuple(tally.changing),
        renewed=tuple(Trouble(f"d/{each.pack}", each.reason) for each in done.renewed),
    )
