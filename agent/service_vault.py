"""The vault behind the service: the session protocol over HTTP, the bytes straight to and from Blob Storage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from agent.blobs import BlobRefused, Blobs, Put
from agent.credentials import DeviceKey
from agent.grants import Grants
from agent.lease import Lease, SessionClosed
from agent.replies import Refused
from agent.service import Service
from agent.transport import Transport
from agent.vault import (
    CommitOrder,
    Committed,
    OpenSession,
    PacksMissing,
    Reader,
    SnapshotInfo,
)
from shared.api import backups as api
from shared.api.backups import (
    CommitSession,
    OpenRestore,
    RenewSession,
    SessionOpened,
    Snapshot,
)
from shared.domain.commits import Statistics
from shared.domain.errors import Conflict, Forbidden
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.format.names import IndexName, PackName

_SLUGS_OF_THE_ENDED = frozenset({"session-closed", "not-found"})


class ServiceReader:
    """Reads with the grant of a session or of a restore."""

    def __init__(self, transport: Transport, grants: Grants, *, packs_open: bool) -> None:
        self._meta = Blobs(transport, grants, lambda grant: grant.meta_url)
        self._packs = Blobs(transport, grants, lambda grant: grant.packs_url)
        self._packs_open = packs_open

    def meta(self, name: str) -> bytes:
        return self._meta.get(name)

    def pack_range(self, pack: PackName, offset: int, length_bytes: int) -> bytes:
        return self._opened().get_range(str(pack), offset, length_bytes)

    def pack_size_bytes(self, pack: PackName) -> int:
        return self._opened().size_bytes(str(pack))

    def _opened(self) -> Blobs:
        if not self._packs_open:
            raise Forbidden("a backup session cannot read packs")
        return self._packs


class _Upload:
    """An open backup session: its grant, its lease, and the two containers."""

    def __init__(self, transport: Transport, opened: SessionOpened, renew: Callable[[], SessionOpened]) -> None:
        self.id = opened.id
        self.grants = Grants(opened.grant, lambda: renew().grant)
        self.packs = Blobs(transport, self.grants, lambda grant: grant.packs_url)
        self.meta = Blobs(transport, self.grants, lambda grant: grant.meta_url)
        self.lease = Lease(opened, renew, lambda renewed: self.grants.replace(renewed.grant))
        self.lease.start()


class ServiceVault:
    """`Vault` for one device. `progress` says how far the backup is, for the service's eyes."""

    def __init__(
        self,
        service: Service,
        transport: Transport,
        device: DeviceKey,
        progress: Callable[[], RenewSession] = RenewSession,
    ) -> None:
        self._service = service
        self._transport = transport
        self._device = device
        self._progress = progress
        self._upload: _Upload | None = None

    @property
    def account(self) -> AccountId:
        return self._device.account

    @property
    def device(self) -> DeviceId:
        return self._device.device

    def sign(self, message: bytes) -> bytes:
        return self._device.key.sign(message)

    def open_session(self, resume: SessionId | None) -> OpenSession:
        self.close()
        resumed = None if resume is None else self._resume(resume)
        opened = resumed or self._service.open_session(self.account)
        self._upload = _Upload(self._transport, opened, lambda: self._renew(opened.id))
        return _as_the_engine_sees_it(opened, resumed=resumed is not None)

    def uploaded_packs(self, session: SessionId) -> Mapping[PackName, int]:
        uploaded = self._service.uploaded_packs(self.account, session)
        return {PackName.parse(each.pack): each.size_bytes for each in uploaded}

    def put_pack(self, pack: PackName, body: Sequence[bytes | memoryview]) -> None:
        upload = self._running(pack.session)
        if upload.packs.put(str(pack), body) is Put.PERHAPS_THERE:
            self._must_be_there(pack, sum(len(part) for part in body))

    def put_meta(self, name: str, body: bytes) -> None:
        upload = self._running(SessionId.parse(name.split("/")[1]))
        if upload.meta.put(name, [body]) is Put.PERHAPS_THERE and upload.meta.get(name) != body:
            raise Conflict(f"{name} is in the vault already, with other bytes")

    def commit(self, order: CommitOrder) -> Committed | PacksMissing:
        """The lease runs on after a refusal: the engine sends what is missing and commits again."""
        statistics = api.Statistics(**asdict(order.statistics))
        body = CommitSession(refs_sha256=order.refs_sha256, statistics=statistics, backup_set=order.backup_set)
        try:
            snapshot = self._service.commit_session(self.account, order.session, body)
        except Refused as no:
            if no.slug == "packs-missing":
                return PacksMissing(tuple(PackName.parse(pack) for pack in no.packs))
            raise _closed(no) from None
        self.close()
        return Committed(snapshot.id, snapshot.committed_at)

    def abandon(self, session: SessionId) -> None:
        self.close()
        try:
            self._service.abandon_session(self.account, session)
        except Refused as no:
            if no.slug not in _SLUGS_OF_THE_ENDED:
                raise

    def session_reader(self, session: SessionId) -> Reader:
        return ServiceReader(self._transport, self._running(session).grants, packs_open=False)

    def restore_reader(self, snapshot: SessionId | None) -> Reader:
        restore = self._service.open_restore(self.account, OpenRestore(snapshot=snapshot))
        grants = Grants(restore.grant, lambda: self._service.reopen_restore(self.account, restore.id).grant)
        return ServiceReader(self._transport, grants, packs_open=True)

    def snapshots(self) -> Sequence[SnapshotInfo]:
        listed = self._service.snapshots(self.account)
        return [_info(snapshot) for snapshot in listed if snapshot.expired_at is None]

    def close(self) -> None:
        """Lets go of the session without ending it: the next run can go on with it while its lease lasts."""
        if self._upload is not None:
            self._upload.lease.stop()
            self._upload = None

    def _resume(self, session: SessionId) -> SessionOpened | None:
        try:
            return self._renew(session)
        except SessionClosed:
            return None

    def _renew(self, session: SessionId) -> SessionOpened:
        try:
            return self._service.renew_session(self.account, session, self._progress())
        except Refused as no:
            raise _closed(no) from None

    def _running(self, session: SessionId) -> _Upload:
        if self._upload is None or self._upload.id != session:
            raise SessionClosed(f"session {session} is not open here")
        self._upload.lease.must_run()
        return self._upload

    def _must_be_there(self, pack: PackName, size_bytes: int) -> None:
        """Raises `BlobRefused` unless the service sees the pack whole: an upload grant cannot read it."""
        try:
            there = self._service.uploaded_pack(self.account, pack)
        except Refused as no:
            raise BlobRefused(str(pack), no.slug) from None
        if there.size_bytes != size_bytes:
            raise BlobRefused(str(pack), f"it is there with {there.size_bytes} bytes instead of {size_bytes}")


def _as_the_engine_sees_it(opened: SessionOpened, *, resumed: bool) -> OpenSession:
    return OpenSession(
        session=opened.id,
        live_indexes=tuple(IndexName(live.session, n) for live in opened.live_indexes for n in range(live.segments)),
        do_not_reuse=frozenset(PackName.parse(pack) for pack in opened.do_not_reuse),
        resumed=resumed,
    )


def _info(snapshot: Snapshot) -> SnapshotInfo:
    statistics = Statistics(**snapshot.statistics.model_dump())
    return SnapshotInfo(snapshot.id, snapshot.device, snapshot.committed_at, statistics, snapshot.backup_set)


def _closed(no: Refused) -> Exception:
    return SessionClosed(str(no)) if no.slug in _SLUGS_OF_THE_ENDED else no
