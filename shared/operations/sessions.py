"""Backup sessions: opened, renewed, and in the end committed, fenced or abandoned (design 5)."""

from dataclasses import dataclass

from shared.domain.commits import VaultState
from shared.domain.errors import NotFound
from shared.domain.grants import Purpose
from shared.domain.ids import AccountId, DeviceId, PackName, SessionId
from shared.domain.sessions import BackupSession, SessionClosed, SessionState, as_of, ended, opened, renewed
from shared.domain.tenancy import DeviceCaller
from shared.operations import customers, grants
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.sas import SignedGrant
from shared.storage.tables import AlreadyThere, Stored


@dataclass(frozen=True, slots=True)
class LiveIndex:
    session: SessionId
    segments: int


@dataclass(frozen=True, slots=True)
class Opening:
    """All that an agent needs to upload."""

    session: BackupSession
    grant: SignedGrant
    live_indexes: tuple[LiveIndex, ...]
    do_not_reuse: frozenset[PackName]


def open_session(services: Services, device: DeviceCaller, session: SessionId) -> Opening:
    """Idempotent by the identity. Comes before any decision to reuse a chunk: the session remembers the epoch."""

    def attempt() -> Opening:
        state = vault_state(services, device.account)
        fresh = opened(session, device.account, device.id, state.value.epoch, services.now())
        try:
            services.vaults.open(state, fresh)
        except AlreadyThere:
            fresh = get(services, device, session)
            if fresh.state is not SessionState.OPEN:
                raise SessionClosed(fresh.id, fresh.state) from None
        return _opening(services, device, fresh, state.value)

    return until_unchanged(attempt)


def get(services: Services, device: DeviceCaller, session: SessionId) -> BackupSession:
    return as_of(own(services, device, session).value, services.now())


def renew(services: Services, device: DeviceCaller, session: SessionId) -> Opening:
    """More time, and a fresh grant. Raises `SessionClosed`."""

    def attempt() -> Opening:
        state = vault_state(services, device.account)
        old = own(services, device, session)
        refuse_if_closed(services, state, old)
        new = renewed(old.value, services.now())
        services.vaults.change(state, old, new)
        return _opening(services, device, new, state.value)

    return until_unchanged(attempt)


def abandon(services: Services, device: DeviceCaller, session: SessionId) -> BackupSession:
    """The agent gives up; what it uploaded is garbage. Repeating it is no fault."""

    def attempt() -> BackupSession:
        state = vault_state(services, device.account)
        old = own(services, device, session)
        if old.value.state is SessionState.ABANDONED:
            return old.value
        new = ended(old.value, SessionState.ABANDONED, services.now())
        services.vaults.change(state, old, new)
        return new

    return until_unchanged(attempt)


def vault_state(services: Services, account: AccountId) -> Stored[VaultState]:
    state = services.vaults.state(account)
    if state is None:
        raise NotFound(f"account {account} has no vault")
    return state


def own(services: Services, device: DeviceCaller, session: SessionId) -> Stored[BackupSession]:
    """The device's own session: another device's does not exist for it."""
    stored = services.vaults.session(device.account, session)
    if stored is None or stored.value.device != device.id:
        raise NotFound(f"there is no backup session {session}")
    return stored


def refuse_if_closed(services: Services, state: Stored[VaultState], session: Stored[BackupSession]) -> None:
    standing = as_of(session.value, services.now())
    if standing.state is SessionState.OPEN:
        return
    if standing.state is not session.value.state:
        services.vaults.change(state, session, standing)  # the fence is written, so that a sweep sees it too
    raise SessionClosed(standing.id, standing.state)


def fence_all(services: Services, account: AccountId, device: DeviceId | None = None) -> None:
    """No open session of the account, or of one of its devices, is committed any more. Safe to repeat."""
    for session in services.vaults.open_sessions(account):
        if device in (None, session.device):
            until_unchanged(lambda session=session: _fence(services, session))


def _fence(services: Services, listed: BackupSession) -> None:
    state = vault_state(services, listed.account)
    now = services.vaults.session(listed.account, listed.id)
    if now is not None and now.value.state is SessionState.OPEN:
        services.vaults.change(state, now, ended(now.value, SessionState.FENCED, services.now()))


def _opening(services: Services, device: DeviceCaller, session: BackupSession, state: VaultState) -> Opening:
    # The account as it is now: a grant of an older generation opens nothing.
    account = customers.get_account(services, device.customer, device.account)
    lasting = services.vaults.committed_sessions(session.account)
    return Opening(
        session=session,
        grant=grants.give(services, account, Purpose.UPLOAD, session.lease_until),
        live_indexes=tuple(LiveIndex(s.id, s.index_segments) for s in lasting if s.index_segments),
        do_not_reuse=frozenset(services.pack_sets.read_all(session.account, state.on_their_way_out)),
    )
