"""A backup: everything below some paths, as it is now, as one snapshot in the vault."""

import os
import time
from collections.abc import Mapping

from agent.engine import closing, journal, memory, segments
from agent.engine.attempt import Attempt, Done, OwnPacksLost, Start
from agent.engine.desk import Desk
from agent.engine.journal import BegunPack, Interrupted
from agent.engine.orders import BackupOrder, BackupReport, Progress
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
        raise NotFound(f"nothing to back up: {', '.join(map(str, order.paths))} does not exist")
    roots = real_roots(order.paths)
    desk = Desk(order.cache_dir, keys, roots)
    with desk.mine_alone():
        return _Backup(order, vault, keys, progress, desk, roots).run()


class _Backup:
    def __init__(
        self,
        order: BackupOrder,
        vault: Vault,
        keys: VaultKeys,
        progress: Progress,
        desk: Desk,
        roots: tuple[bytes, ...],
    ) -> None:
        self._order, self._vault, self._keys = order, vault, keys
        self._progress, self._desk, self._roots = progress, desk, roots
        self._clock = time.perf_counter()
        self._gone: frozenset[PackName] = frozenset()

    def run(self) -> BackupReport:
        self._announce()
        left = journal.read(self._desk.journal, self._keys)
        opened = self._vault.open_session(left.session if left else None)
        if left is not None and left.closing is not None:
            opened = self._finish(left, opened)
        adopted = self._adopted(left, opened)
        for _ in range(TRIES):
            outcome = Attempt(
                self._start(opened, left, adopted), self._order, self._vault, self._keys, self._desk, self._progress
            ).run()
            match outcome:
                case Done():
                    return self._report(outcome, resumed=opened.resumed)
                case OwnPacksLost(still_there):
                    adopted = still_there
                case PacksMissing(packs):
                    # The refs of a session are written once, so what replaces the lost packs needs a new session.
                    self._gone |= frozenset(packs)
                    self._vault.abandon(opened.session)
                    opened, adopted = self._vault.open_session(None), ()
        raise Conflict(f"the vault lost packs in {TRIES} attempts, one after the other; nothing was committed")

    def _announce(self) -> None:
        last = memory.totals(self._desk.files, self._keys.local)
        if last is not None:
            self._progress.expect(last.entries, last.logical_bytes)

    def _finish(self, left: Interrupted, opened: OpenSession) -> OpenSession:
        """Commits what was complete but for its commit, and opens the session for today's run."""
        assert left.closing is not None, "asked for only then"
        if not opened.resumed:
            # The session is over: committed just before the crash, or given up by the service.
            if any(info.session == left.session for info in self._vault.snapshots()):
                self._desk.promote(left.session)
            return opened
        if isinstance(closing.write(left.closing, self._vault, left.session), Committed):
            self._desk.promote(left.session)
        else:
            self._vault.abandon(left.session)
        return self._vault.open_session(None)

    def _adopted(self, left: Interrupted | None, opened: OpenSession) -> tuple[BegunPack, ...]:
        """The packs of an interrupted run that really arrived."""
        if left is None or left.session != opened.session:
            return ()
        uploaded: Mapping[PackName, int] = self._vault.uploaded_packs(opened.session)
        return tuple(pack for pack in left.packs if uploaded.get(pack.ref.name) == pack.ref.size_bytes)

    def _start(self, opened: OpenSession, left: Interrupted | None, adopted: tuple[BegunPack, ...]) -> Start:
        self._desk.sweep()
        reader = self._vault.session_reader(opened.session)
        begun = (*adopted, *(left.packs if left else ()))
        return Start(
            roots=self._roots,
            opened=opened,
            segments=segments.load(opened.live_indexes, reader, self._keys, self._desk.indexes),
            adopted=adopted,
            members=tuple(member for pack in begun for member in pack.members),
            unusable=opened.do_not_reuse | self._gone,
            started=self._order.now(),
        )

    def _report(self, done: Done, resumed: bool) -> BackupReport:
        # Commit before memory before journal: a crash in between is recognised, and costs time only.
        self._desk.promote(done.committed.session)
        self._desk.journal.unlink()
        tally = done.tally
        return BackupReport(
            session=done.committed.session,
            committed_at=done.committed.committed_at,
            resumed=resumed,
            files=tally.files,
            directories=tally.directories,
            unchanged=tally.unchanged,
            logical_bytes=tally.logical_bytes,
            new_bytes=done.new_bytes,
            sent_bytes=done.sent_bytes,
            packs=done.packs,
            seconds=time.perf_counter() - self._clock,
            skipped_count=tally.skipped_count,
            skipped=tuple(tally.skipped),
            changing=tuple(tally.changing),
        )
