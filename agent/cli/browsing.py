"""`hort snapshots` and `hort ls`."""

import base64
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.cli.device import Device
from agent.cli.home import find_home
from agent.cli.output import Outcome, columns, printable, size
from agent.cli.vaults import choose_snapshot, opened
from agent.engine.listing import list_items
from agent.meter import Meter
from shared.api.backups import Snapshot
from shared.domain.commits import Statistics
from shared.domain.ids import DeviceId, SessionId
from shared.format.items import Item, ItemKind

KINDS = {
    ItemKind.FILE: stat.S_IFREG,
    ItemKind.HARD_LINK: stat.S_IFREG,
    ItemKind.DIRECTORY: stat.S_IFDIR,
    ItemKind.SYMLINK: stat.S_IFLNK,
    ItemKind.FIFO: stat.S_IFIFO,
    ItemKind.CHARACTER_DEVICE: stat.S_IFCHR,
    ItemKind.BLOCK_DEVICE: stat.S_IFBLK,
    ItemKind.SOCKET: stat.S_IFSOCK,
}


@dataclass(frozen=True, slots=True)
class Listed:
    session: SessionId
    device: DeviceId
    committed_at: datetime
    statistics: Statistics
    backup_set: str = ""
    take_back_until: datetime | None = None
    """Of an expired one: it is not restored any more, and then gone for ever."""
    pinned: bool = False
    held: tuple[str, ...] = ()
    """The reasons of its holds."""


@dataclass(frozen=True, slots=True)
class SnapshotList:
    snapshots: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    """Printable: bytes that are no text are shown as `\\xNN`."""
    path_base64: str | None
    """The exact bytes, where `path` cannot show them."""
    kind: str
    mode: str
    """As in `ls -l`."""
    uid: int
    gid: int
    size_bytes: int
    modified_at: str
    target: str | None
    """Of a symbolic or hard link."""


@dataclass(frozen=True, slots=True)
class Listing:
    snapshot: SessionId
    entries: Iterator[Entry]


def list_snapshots(vault_url: str | None) -> Outcome[SnapshotList]:
    found = _at_the_service() if vault_url is None else _in_folder(vault_url)
    return Outcome(SnapshotList(tuple(found)), _snapshot_lines)


@contextmanager
def listing(snapshot: str, path: str, vault_url: str | None) -> Generator[Outcome[Listing]]:
    """The entries are read while they are shown, and the vault stays open for that."""
    with opened(find_home(), vault_url, Meter()) as here:
        session = choose_snapshot(here.vault, snapshot)
        items = list_items(here.vault.restore_reader(session), here.keys, session, os.fsencode(path).strip(b"/"))
        yield Outcome(Listing(session, map(entry, items)), _entry_lines)


def _in_folder(vault_url: str) -> list[Listed]:
    with opened(find_home(), vault_url, Meter()) as here:
        return [Listed(i.session, i.device, i.committed_at, i.statistics, i.backup_set) for i in here.vault.snapshots()]


def _at_the_service() -> list[Listed]:
    """Expired ones as well: somebody may want to take one back."""
    from agent.cli.remote import service_of  # half of the start-up time, and no folder needs it
    from agent.patience import Patience
    from agent.transport import Transport

    device = Device.load(find_home())
    service = service_of(device, Transport(Patience()))
    return [_listed(each) for each in service.snapshots(device.registration.account)]


def _listed(snapshot: Snapshot) -> Listed:
    return Listed(
        session=snapshot.id,
        device=snapshot.device,
        committed_at=snapshot.committed_at,
        statistics=Statistics(**snapshot.statistics.model_dump()),
        backup_set=snapshot.backup_set,
        take_back_until=snapshot.take_back_until,
        pinned=snapshot.pinned,
        held=tuple(hold.reason for hold in snapshot.holds),
    )


def _snapshot_lines(found: SnapshotList) -> Iterator[str]:
    if not found.snapshots:
        yield "No snapshots yet."
        return
    head = ("SNAPSHOT", "COMMITTED (UTC)", "DEVICE", "SET", "FILES", "SIZE", "SENT", "")
    yield from columns([head, *map(_snapshot_row, found.snapshots)])


def _snapshot_row(each: Listed) -> tuple[str, ...]:
    told = each.statistics
    when = f"{each.committed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    counts = f"{told.files:,}", size(told.logical_bytes), size(told.sent_bytes)
    return (each.session, when, each.device, each.backup_set or "-", *counts, _state(each))


def _state(each: Listed) -> str:
    """What is to be known of it beside its figures."""
    until = each.take_back_until
    expired = () if until is None else (f"expired, take back until {until.astimezone(UTC):%Y-%m-%d %H:%M}",)
    pinned = ("pinned",) if each.pinned else ()
    return "; ".join((*expired, *pinned, *(f"held: {reason}" for reason in each.held)))


def entry(item: Item) -> Entry:
    shown = printable(item.path.decode("utf-8", "surrogateescape"))
    return Entry(
        path=shown,
        path_base64=None if shown.encode() == item.path else base64.b64encode(item.path).decode(),
        kind=item.kind.name.lower().replace("_", "-"),
        mode=stat.filemode(item.mode | KINDS[item.kind]),
        uid=item.uid,
        gid=item.gid,
        size_bytes=item.size,
        modified_at=_time(item.mtime_ns),
        target=printable(item.target.decode("utf-8", "surrogateescape")) if item.target else None,
    )


def _entry_lines(listing: Listing) -> Iterator[str]:
    for each in listing.entries:
        leads = " link to " if each.kind == "hard-link" else " -> "
        target = f"{leads}{each.target}" if each.target else ""
        yield f"{each.mode}  {each.size_bytes:>13,}  {each.modified_at[:19]}  {each.path}{target}"


def _time(mtime_ns: int) -> str:
    """RFC 3339 with nanoseconds; a time that no calendar holds is shown as seconds."""
    seconds, rest = divmod(mtime_ns, 10**9)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
    except (ValueError, OverflowError, OSError):
        return f"@{seconds}.{rest:09}"
