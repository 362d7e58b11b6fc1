"""`hort status`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.certificates import ends_at
from agent.cli.device import Device
from agent.cli.exits import Exit, exit_for
from agent.cli.home import see_home
from agent.cli.output import Outcome
from agent.cli.remote import service_of
from agent.cli.vaults import SERVICE_CACHE
from agent.config import Home, Registration
from agent.engine import journal
from agent.engine.desk import Desk
from agent.lock import is_held
from agent.patience import Patience
from agent.replies import NotThere
from agent.service import Service
from agent.transport import Transport
from shared.api.backups import SeedingState, SessionState
from shared.domain.errors import HortError
from shared.domain.ids import AccountId, DeviceId, SessionId

SHORT = Patience(absence_seconds=3.0, attempts=2, silence_seconds=10.0)
"""Somebody waits for the answer, and «not reachable» is one."""


_NOT_PROTECTED = "no: prove that your recovery kit works, `hort recovery-kit test --kit FILE`"


@dataclass(frozen=True, slots=True)
class FirstBackup:
    state: SeedingState
    done_bytes: int
    total_bytes: int
    next_step_at: datetime | None


@dataclass(frozen=True, slots=True)
class AtTheService:
    """What only the service knows."""

    last_snapshot_at: datetime | None
    protected_at: datetime | None
    """When the recovery kit was last proved from here; until then nobody knows whether the backups can be opened."""
    first_backup: FirstBackup | None
    unfinished: SessionState | None
    """How the service sees the session that the last run left behind."""


@dataclass(frozen=True, slots=True)
class Status:
    service: str | None
    account: AccountId
    device: DeviceId
    name: str
    fingerprint: str
    certificate_until: datetime | None
    """A backup renews it in its last sixty days; none for a vault in a folder."""
    running: bool
    """A run is going on now."""
    unfinished_session: SessionId | None
    """The next backup goes on with it, if its lease lasts."""
    at_the_service: AtTheService | None
    trouble: str | None
    """Why there is nothing under `at_the_service`."""


def status() -> Outcome[Status]:
    home = see_home()
    device = Device.load(home)
    unfinished = _unfinished(home, device)
    there, trouble, code = _ask(device, unfinished)
    who, fingerprint, running = device.registration, device.keys.fingerprint, is_held(home.lock)
    until = None if device.certificate is None else ends_at(device.certificate)
    found = Status(
        who.service, who.account, who.device, who.name, fingerprint, until, running, unfinished, there, trouble
    )
    return Outcome(found, _lines, code)


def _ask(device: Device, unfinished: SessionId | None) -> tuple[AtTheService | None, str | None, Exit]:
    if device.registration.service is None:
        return None, None, Exit.OK
    try:
        return _at_the_service(service_of(device, Transport(SHORT)), device, unfinished), None, Exit.OK
    except HortError as fault:
        return None, str(fault), exit_for(fault)


def _at_the_service(service: Service, device: Device, unfinished: SessionId | None) -> AtTheService:
    who = device.registration
    known = service.device(who.account, who.device)
    return AtTheService(
        last_snapshot_at=known.last_snapshot_at,
        protected_at=known.protected_at,
        first_backup=_first_backup(service, who),
        unfinished=None if unfinished is None else _session_state(service, who, unfinished),
    )


def _first_backup(service: Service, who: Registration) -> FirstBackup | None:
    try:
        seeding = service.seeding(who.account, who.device)
    except NotThere:
        return None
    return FirstBackup(seeding.state, seeding.done_bytes, seeding.total_bytes, seeding.next_step_at)


def _session_state(service: Service, who: Registration, session: SessionId) -> SessionState | None:
    try:
        return service.session(who.account, session).state
    except NotThere:
        return None


def _unfinished(home: Home, device: Device) -> SessionId | None:
    found = journal.read(Desk(home.cache / SERVICE_CACHE, device.keys, ()).journal, device.keys)
    return None if found is None else found.session


def _lines(found: Status) -> Iterator[str]:
    yield f"Device       {found.name} ({found.device})"
    yield f"Account      {found.account}"
    yield f"Fingerprint  {found.fingerprint}"
    if found.certificate_until:
        yield f"Certificate  until {found.certificate_until:%Y-%m-%d}"
    yield f"Service      {found.service or 'none, a vault in a folder'}"
    if found.trouble:
        yield f"             {found.trouble}"
    if found.at_the_service:
        yield from _service_lines(found.at_the_service)
    if found.running:
        yield "A run is going on now."
    elif found.unfinished_session:
        yield f"Unfinished   session {found.unfinished_session}: run `hort backup` again to go on with it"


def _service_lines(there: AtTheService) -> Iterator[str]:
    last = there.last_snapshot_at
    yield f"Last backup  {f'{last:%Y-%m-%d %H:%M:%S} UTC' if last else 'none yet'}"
    yield f"Protected    {'yes, the kit was tested' if there.protected_at else _NOT_PROTECTED}"
    if there.first_backup:
        yield f"First backup {there.first_backup.state.value}"
