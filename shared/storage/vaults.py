"""An account's vault in one partition: its state, sessions and snapshots, so that one transaction can hold them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from azure.data.tables import TableClient

from shared.domain.commits import Snapshot, VaultState
from shared.domain.ids import AccountId, SessionId
from shared.domain.sessions import BackupSession, SessionState
from shared.storage.mapping import Mapper
from shared.storage.tables import AlreadyThere, Insert, Replace, Stored, Table, transact

TABLE = "vaults"

_STATE = "state"
_SESSION = "session-"
_SNAPSHOT = "snapshot-"

STATES = Mapper(TABLE, VaultState, key=lambda state: (state.account, _STATE))
SESSIONS = Mapper(TABLE, BackupSession, key=lambda session: (session.account, _SESSION + session.id))
SNAPSHOTS = Mapper(TABLE, Snapshot, key=lambda snapshot: (snapshot.account, _SNAPSHOT + snapshot.id))


@dataclass(frozen=True, slots=True)
class Vaults:
    """Whoever changes a session writes the state's row in the same transaction: its ETag puts the writers in order."""

    client: TableClient

    def create(self, account: AccountId) -> None:
        """Safe to repeat."""
        with suppress(AlreadyThere):
            self._states.insert(VaultState(account))

    def state(self, account: AccountId) -> Stored[VaultState] | None:
        return self._states.get(account, _STATE)

    def session(self, account: AccountId, session: SessionId) -> Stored[BackupSession] | None:
        return self._sessions.get(account, _SESSION + session)

    def snapshot(self, account: AccountId, session: SessionId) -> Snapshot | None:
        stored = self._snapshots.get(account, _SNAPSHOT + session)
        return stored and stored.value

    def committed(self, account: AccountId) -> frozenset[SessionId]:
        sessions = self._sessions.all(account, prefix=_SESSION)
        return frozenset(session.id for session in sessions if session.state is SessionState.COMMITTED)

    def open_sessions(self, account: AccountId) -> list[BackupSession]:
        sessions = self._sessions.all(account, prefix=_SESSION)
        return [session for session in sessions if session.state is SessionState.OPEN]

    def snapshots(self, account: AccountId) -> Iterator[Snapshot]:
        return self._snapshots.all(account, prefix=_SNAPSHOT)

    def snapshots_page(self, account: AccountId, after: str, limit: int) -> list[Snapshot]:
        cursor = _SNAPSHOT + after if after else ""
        return self._snapshots.page(account, after=cursor, prefix=_SNAPSHOT, limit=limit)

    def open(self, state: Stored[VaultState], session: BackupSession) -> None:
        transact(self.client, [Insert(SESSIONS.to_entity(session)), _touch(state, state.value)])

    def change(self, state: Stored[VaultState], old: Stored[BackupSession], new: BackupSession) -> None:
        transact(self.client, [Replace(SESSIONS.to_entity(new), old.etag), _touch(state, state.value)])

    def commit(
        self,
        state: Stored[VaultState],
        new_state: VaultState,
        old: Stored[BackupSession],
        new: BackupSession,
        snapshot: Snapshot,
    ) -> None:
        session = Replace(SESSIONS.to_entity(new), old.etag)
        transact(self.client, [session, Insert(SNAPSHOTS.to_entity(snapshot)), _touch(state, new_state)])

    @property
    def _states(self) -> Table[VaultState]:
        return Table(self.client, STATES)

    @property
    def _sessions(self) -> Table[BackupSession]:
        return Table(self.client, SESSIONS)

    @property
    def _snapshots(self) -> Table[Snapshot]:
        return Table(self.client, SNAPSHOTS)


def _touch(old: Stored[VaultState], new: VaultState) -> Replace:
    return Replace(STATES.to_entity(new), old.etag)
