# pyright: reportUnknownMemberType=false
"""An account's vault in one partition: its state, sessions and snapshots, so that one transaction can hold them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from azure.data.tables import TableClient

from shared.domain.commits import Snapshot, VaultState
from shared.domain.ids import AccountId, SessionId
from shared.domain.policy_changes import Retention
from shared.domain.sessions import BackupSession, SessionState
from shared.storage.mapping import Mapper
from shared.storage.tables import AlreadyThere, Insert, Replace, Step, Stored, Table, etag, transact

TABLE = "vaults"

_STATE = "!state"
"""Sorts before all others: whoever reads the whole partition has the state's ETag before any fact it must vouch for."""
_SESSION = "session-"
_SNAPSHOT = "snapshot-"
_RETENTION = "retention"

STATES = Mapper(TABLE, VaultState, key=lambda state: (state.account, _STATE))
SESSIONS = Mapper(TABLE, BackupSession, key=lambda session: (session.account, _SESSION + session.id))
SNAPSHOTS = Mapper(TABLE, Snapshot, key=lambda snapshot: (snapshot.account, _SNAPSHOT + snapshot.id))
RETENTIONS = Mapper(TABLE, Retention, key=lambda retention: (retention.account, _RETENTION))


@dataclass(frozen=True, slots=True)
class Rows:
    """An account's partition as it was read, the state first."""

    state: Stored[VaultState]
    sessions: tuple[Stored[BackupSession], ...]
    snapshots: tuple[Stored[Snapshot], ...]
    retention: Stored[Retention] | None = None
    """`None`: the default policy."""

    @property
    def all_sessions(self) -> list[BackupSession]:
        return [session.value for session in self.sessions]

    @property
    def kept(self) -> frozenset[SessionId]:
        """Snapshots that are there: also an expired one is, until it is removed."""
        return frozenset(snapshot.value.id for snapshot in self.snapshots)

    @property
    def committed(self) -> frozenset[SessionId]:
        return frozenset(s.value.id for s in self.sessions if s.value.state is SessionState.COMMITTED)


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
        stored = self.stored_snapshot(account, session)
        return stored and stored.value

    def stored_snapshot(self, account: AccountId, session: SessionId) -> Stored[Snapshot] | None:
        return self._snapshots.get(account, _SNAPSHOT + session)

    def retention(self, account: AccountId) -> Stored[Retention] | None:
        """`None`: the default policy."""
        return self._retentions.get(account, _RETENTION)

    def committed(self, account: AccountId) -> frozenset[SessionId]:
        return frozenset(session.id for session in self.committed_sessions(account))

    def committed_sessions(self, account: AccountId) -> list[BackupSession]:
        """Those whose packs may be reused; a session stays one when its snapshot is gone and packs of it are not."""
        sessions = self._sessions.all(account, prefix=_SESSION)
        return [session for session in sessions if session.state is SessionState.COMMITTED]

    def open_sessions(self, account: AccountId) -> list[BackupSession]:
        sessions = self._sessions.all(account, prefix=_SESSION)
        return [session for session in sessions if session.state is SessionState.OPEN]

    def snapshots(self, account: AccountId) -> Iterator[Snapshot]:
        return self._snapshots.all(account, prefix=_SNAPSHOT)

    def snapshots_page(self, account: AccountId, after: str, limit: int) -> list[Snapshot]:
        cursor = _SNAPSHOT + after if after else ""
        return self._snapshots.page(account, after=cursor, prefix=_SNAPSHOT, limit=limit)

    def rows(self, account: AccountId) -> Rows | None:
        """Everything in one query a thousand rows; `None`: no such vault."""
        found = self.client.query_entities("PartitionKey eq @account", parameters={"account": account})
        state: Stored[VaultState] | None = None
        sessions, snapshots = list[Stored[BackupSession]](), list[Stored[Snapshot]]()
        retention = None
        for entity in found:
            key: str = entity["RowKey"]  # pyright: ignore[reportUnknownVariableType] -- the SDK has no types here
            tag = etag(entity.metadata)
            if key == _STATE:
                state = Stored(STATES.from_entity(entity), tag)
            elif key.startswith(_SESSION):
                sessions.append(Stored(SESSIONS.from_entity(entity), tag))
            elif key.startswith(_SNAPSHOT):
                snapshots.append(Stored(SNAPSHOTS.from_entity(entity), tag))
            elif key == _RETENTION:
                retention = Stored(RETENTIONS.from_entity(entity), tag)
        return None if state is None else Rows(state, tuple(sessions), tuple(snapshots), retention)

    def write(self, state: Stored[VaultState], new: VaultState, steps: Iterable[Step] = ()) -> None:
        """The steps and the state in one transaction. Raises `Changed`: then nothing was written."""
        transact(self.client, [*steps, _touch(state, new)])

    def open(self, state: Stored[VaultState], session: BackupSession) -> None:
        transact(self.client, [Insert(SESSIONS.to_entity(session)), _touch(state, state.value)])

    def change(self, state: Stored[VaultState], old: Stored[BackupSession], new: BackupSession) -> None:
        transact(self.client, [Replace(SESSIONS.to_entity(new), old.etag), _touch(state, state.value)])

    def mark(self, state: Stored[VaultState], old: Stored[Snapshot], new: Snapshot) -> None:
        """Expired, taken back, held or pinned: in one order with the sweeps."""
        transact(self.client, [Replace(SNAPSHOTS.to_entity(new), old.etag), _touch(state, state.value)])

    def change_retention(self, state: Stored[VaultState], old: Stored[Retention] | None, new: Retention) -> None:
        """No sweep that has read the old policy expires anything after this. Raises `Changed` or `AlreadyThere`."""
        entity = RETENTIONS.to_entity(new)
        transact(self.client, [Replace(entity, old.etag) if old else Insert(entity), _touch(state, state.value)])

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

    @property
    def _retentions(self) -> Table[Retention]:
        return Table(self.client, RETENTIONS)


def _touch(old: Stored[VaultState], new: VaultState) -> Replace:
    return Replace(STATES.to_entity(new), old.etag)
