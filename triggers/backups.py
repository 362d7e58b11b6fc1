"""Backup sessions, the snapshots they become, and a device's first backup."""

from http import HTTPStatus

from shared.api import backups as api
from shared.api.base import Page
from shared.domain import commits
from shared.domain.audit import Deed
from shared.domain.errors import NotFound
from shared.domain.ids import DeviceId, PackName, SessionId
from shared.domain.seeding import Progress
from shared.operations import devices, seeding, sessions
from shared.operations.commits import CommitOrder, commit
from shared.operations.seeding import SeedingSeen
from shared.operations.sessions import Opening
from triggers.access import Who
from triggers.call import Call, NoBody
from triggers.endpoint import Endpoint
from triggers.paging import page_of


def open_session(call: Call[api.OpenSession]) -> api.SessionOpened:
    """Open a backup session: a lease, leave to upload, and what may be reused."""
    opening = sessions.open_session(call.services, call.device, call.new(SessionId))
    seeding.begin(call.services, call.engine, call.device, opening.session.id)
    return _opened(opening)


def get_session(call: Call[NoBody]) -> api.Session:
    """How a session stands."""
    session = sessions.get(call.services, call.device, call.id(SessionId))
    return api.Session.model_validate(session, from_attributes=True)


def renew_session(call: Call[api.RenewSession]) -> api.SessionOpened:
    """More time and a fresh grant; also how a run that was cut off goes on."""
    opening = sessions.renew(call.services, call.device, call.id(SessionId))
    progress = Progress(call.body.done_bytes, call.body.total_bytes)
    seeding.tell_progress(call.services, call.engine, call.device, progress)
    return _opened(opening)


def list_uploaded_packs(call: Call[NoBody]) -> Page[api.UploadedPack]:
    """The session's packs that are really there, by name."""
    session = sessions.own(call.services, call.device, call.id(SessionId)).value.id
    limit = call.limit()
    found = call.services.vault_blobs.packs_page(call.account.id, session, call.after(), limit)
    items = [api.UploadedPack(pack=str(pack), size_bytes=size) for pack, size in found]
    return Page(items=items, next=found[-1][0].pack_id if len(found) == limit else None)


def get_uploaded_pack(call: Call[NoBody]) -> api.UploadedPack:
    """Whether one pack of the session is there, and how large."""
    pack = PackName.parse(f"{call.id(SessionId)}/{call.part('pack')}")
    sessions.own(call.services, call.device, pack.session)
    size_bytes = call.services.vault_blobs.pack_size(call.account.id, pack)
    if size_bytes is None:
        raise NotFound(f"there is no pack {pack}")
    return api.UploadedPack(pack=str(pack), size_bytes=size_bytes)


def commit_session(call: Call[api.CommitSession]) -> api.Snapshot:
    """Make the session a snapshot. Refused, with the packs' names, when anything it needs is not there."""
    statistics = commits.Statistics(**call.body.statistics.model_dump())
    order = CommitOrder(call.id(SessionId), call.body.refs_sha256, statistics, call.body.backup_set)
    snapshot = commit(call.services, call.device, order)
    # Snapshot before event: if the event gets lost, the watch finds the snapshot in the table.
    seeding.tell_committed(call.services, call.engine, snapshot)
    return _snapshot(snapshot)


def abandon_session(call: Call[NoBody]) -> api.Session:
    """Give a session up; what it uploaded will be removed."""
    session = sessions.abandon(call.services, call.device, call.id(SessionId))
    return api.Session.model_validate(session, from_attributes=True)


def list_snapshots(call: Call[NoBody]) -> Page[api.Snapshot]:
    """The account's snapshots, oldest first."""
    limit = call.limit()
    found = call.services.vaults.snapshots_page(call.account.id, call.after(), limit)
    return page_of([_snapshot(snapshot) for snapshot in found], limit)


def get_snapshot(call: Call[NoBody]) -> api.Snapshot:
    """One snapshot."""
    snapshot = call.services.vaults.snapshot(call.account.id, call.id(SessionId))
    if snapshot is None:
        raise NotFound(f"there is no snapshot {call.id(SessionId)}")
    return _snapshot(snapshot)


def get_seeding(call: Call[NoBody]) -> api.Seeding:
    """How far a device's first backup is."""
    return _seeding(seeding.see(call.services, call.engine, call.account.id, _device(call)))


def cancel_seeding(call: Call[NoBody]) -> api.Seeding:
    """Stop watching over a device's first backup."""
    who = f"user {call.user.id}"
    return _seeding(seeding.cancel(call.services, call.engine, call.account.id, _device(call), who))


def _device(call: Call[NoBody]) -> DeviceId:
    return devices.get(call.services, call.account.id, call.id(DeviceId)).value.id


def _opened(opening: Opening) -> api.SessionOpened:
    session = api.Session.model_validate(opening.session, from_attributes=True)
    return api.SessionOpened(
        **session.model_dump(),
        grant=api.Grant.model_validate(opening.grant, from_attributes=True),
        live_indexes=[api.LiveIndex.model_validate(i, from_attributes=True) for i in opening.live_indexes],
        do_not_reuse=sorted(str(pack) for pack in opening.do_not_reuse),
    )


def _snapshot(snapshot: commits.Snapshot) -> api.Snapshot:
    return api.Snapshot.model_validate(snapshot, from_attributes=True)


def _seeding(seen: SeedingSeen) -> api.Seeding:
    progress = seen.status.progress if seen.status else Progress()
    return api.Seeding(
        device=seen.seeding.device,
        state=seen.seeding.state,
        session=seen.seeding.session,
        done_bytes=progress.done_bytes,
        total_bytes=progress.total_bytes,
        reminders=seen.seeding.reminders,
        next_step_at=seen.status.next_step_at if seen.status else None,
    )


_SESSION = "/accounts/{account}/sessions/{session}"
_SNAPSHOTS = "/accounts/{account}/snapshots"
_SEEDING = "/accounts/{account}/devices/{device}/seeding"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/accounts/{account}/sessions",
        open_session,
        Who.DEVICE,
        api.OpenSession,
        api.SessionOpened,
        status=HTTPStatus.CREATED,
        creates=True,
        workflows=True,
    ),
    Endpoint("GET", _SESSION, get_session, Who.DEVICE, NoBody, api.Session),
    Endpoint(
        "POST", f"{_SESSION}/renew", renew_session, Who.DEVICE, api.RenewSession, api.SessionOpened, workflows=True
    ),
    Endpoint("GET", f"{_SESSION}/packs", list_uploaded_packs, Who.DEVICE, NoBody, Page[api.UploadedPack], pages=True),
    Endpoint("GET", f"{_SESSION}/packs/{{pack}}", get_uploaded_pack, Who.DEVICE, NoBody, api.UploadedPack),
    Endpoint("POST", f"{_SESSION}/commit", commit_session, Who.DEVICE, api.CommitSession, api.Snapshot, workflows=True),
    Endpoint("POST", f"{_SESSION}/abandon", abandon_session, Who.DEVICE, NoBody, api.Session),
    Endpoint("GET", _SNAPSHOTS, list_snapshots, Who.OWNER, NoBody, Page[api.Snapshot], pages=True),
    Endpoint("GET", f"{_SNAPSHOTS}/{{session}}", get_snapshot, Who.OWNER, NoBody, api.Snapshot),
    Endpoint("GET", _SEEDING, get_seeding, Who.OWNER, NoBody, api.Seeding, workflows=True),
    Endpoint(
        "POST",
        f"{_SEEDING}/cancel",
        cancel_seeding,
        Who.USER,
        NoBody,
        api.Seeding,
        status=HTTPStatus.ACCEPTED,
        workflows=True,
        audited=Deed.CANCEL_SEEDING,
    ),
)
