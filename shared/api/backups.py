"""Backups and restores: sessions, snapshots, grants, and a device's first backup."""

from typing import Annotated

from pydantic import StringConstraints

from shared.api.base import Bytes, Count, Instant, Reply, Request, Seconds, Sha256
from shared.domain.ids import AccountId, DeviceId, RestoreId, SessionId
from shared.domain.seeding import SeedingState
from shared.domain.sessions import SessionState


class Grant(Reply):
    """Leave to use the account's two containers for a while: URLs that carry a SAS."""

    packs_url: str
    """`https://.../d-<account>?<sas>`: create in an upload grant, read in a restore grant."""
    meta_url: str
    """`https://.../m-<account>?<sas>`: create and read in an upload grant, read in a restore grant."""
    expires_at: Instant


class Statistics(Request):
    """What a backup tells of itself: counts and sizes, never names. The service relies on none of it."""

    files: Count = 0
    directories: Count = 0
    logical_bytes: Bytes = 0
    new_bytes: Bytes = 0
    sent_bytes: Bytes = 0
    unreadable: Count = 0
    seconds: Seconds = 0.0


class LiveIndex(Reply):
    session: SessionId
    segments: Count
    """Its index segments are numbered from 0."""


class OpenSession(Request):
    """Opens a backup session for the calling device."""


class Session(Reply):
    id: SessionId
    account: AccountId
    device: DeviceId
    state: SessionState
    opened_at: Instant
    lease_until: Instant
    renewable_until: Instant


class SessionOpened(Session):
    """`POST /sessions`, and the answer to every renewal: all that the agent needs to upload."""

    grant: Grant
    live_indexes: list[LiveIndex]
    do_not_reuse: list[str]
    """Packs on their way out, as `<session>/<pack-id>`: the agent takes their chunks for absent."""


class UploadedPack(Reply):
    pack: str
    """`<session>/<pack-id>`."""
    size_bytes: Bytes


class RenewSession(Request):
    """Tells how far the backup is, and asks for more time."""

    done_bytes: Bytes = 0
    total_bytes: Bytes = 0


BackupSet = Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")]
"""The name of a backup set; the empty one is the default set. The service sees it: it should tell nothing."""


class CommitSession(Request):
    """Makes the session a snapshot. The refs lie in `m-<account>/refs/<session>` already."""

    refs_sha256: Sha256
    statistics: Statistics = Statistics()
    backup_set: BackupSet = ""


class Snapshot(Reply):
    id: SessionId
    account: AccountId
    device: DeviceId
    committed_at: Instant
    packs: Count
    stored_bytes: Bytes
    """Bytes of all the packs this snapshot needs."""
    new_packs: Count
    new_stored_bytes: Bytes
    statistics: Statistics
    backup_set: str = ""


class OpenRestore(Request):
    snapshot: SessionId | None = None
    """Only recorded: the grant reads the whole vault, for chunks are shared."""


class Restore(Reply):
    id: RestoreId
    account: AccountId
    snapshot: SessionId | None
    opened_at: Instant
    grant: Grant


class Seeding(Reply):
    """A device's first backup."""

    device: DeviceId
    state: SeedingState
    session: SessionId | None = None
    done_bytes: Bytes = 0
    total_bytes: Bytes = 0
    reminders: Count = 0
    next_step_at: Instant | None = None
    """When the next reminder is due, or the end of our patience."""
