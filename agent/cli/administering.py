"""What an administrator does to an account; the provider's tool says the same about the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.cli.output import Outcome, columns, printable
from agent.person import Person
from shared.api import tenancy as api
from shared.domain.enrolment import CodeState
from shared.domain.errors import Malformed, NotFound
from shared.domain.ids import AccountId, CodeId, CustomerId, DeviceId, IncidentId, UserId
from shared.domain.tenancy import DeviceState


@dataclass(frozen=True, slots=True)
class DeviceLine:
    id: DeviceId
    name: str
    platform: str
    state: DeviceState
    registered_at: datetime
    revoked_at: datetime | None
    certificate_until: datetime
    last_snapshot_at: datetime | None
    protected_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceList:
    devices: tuple[DeviceLine, ...]


@dataclass(frozen=True, slots=True)
class Code:
    id: CodeId
    code: str
    """Shown this once and kept nowhere."""
    account: AccountId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeLine:
    """Never the code itself."""

    id: CodeId
    state: CodeState
    expires_at: datetime
    made_by: UserId
    device: DeviceId | None
    """Who came in with it."""


@dataclass(frozen=True, slots=True)
class CodeList:
    codes: tuple[CodeLine, ...]


@dataclass(frozen=True, slots=True)
class Locked:
    account: AccountId
    incident: IncidentId
    locked_at: datetime
    grants_end_at: datetime


@dataclass(frozen=True, slots=True)
class Unlocked:
    account: AccountId


def list_devices(person: Person, account: AccountId) -> Outcome[DeviceList]:
    return Outcome(DeviceList(tuple(_line(device) for device in person.devices(account))), _device_lines)


def revoke_device(person: Person, account: AccountId, wanted: str) -> Outcome[DeviceLine]:
    device = _the_one(person.devices(account), wanted)
    return Outcome(_line(person.revoke_device(account, device.id)), _revoked_lines)


def make_code(person: Person, account: AccountId) -> Outcome[Code]:
    made = person.make_code(account)
    return Outcome(Code(made.id, made.code, made.account, made.expires_at), _code_lines)


def list_codes(person: Person, account: AccountId) -> Outcome[CodeList]:
    known = person.codes(account)
    found = tuple(CodeLine(code.id, code.state, code.expires_at, code.made_by, code.device) for code in known)
    return Outcome(CodeList(found), _code_list_lines)


def lock_account(person: Person, customer: CustomerId, account: AccountId, note: str) -> Outcome[Locked]:
    done = person.lock(customer, account, note)
    return Outcome(Locked(done.account, done.incident, done.locked_at, done.grants_end_at), _locked_lines)


def unlock_account(person: Person, account: AccountId) -> Outcome[Unlocked]:
    return Outcome(Unlocked(person.unlock(account).id), _unlocked_lines)


def moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _the_one(devices: Iterable[api.Device], wanted: str) -> api.Device:
    """By id, or by a name that only one device has which is not out yet. Raises `NotFound`, `Malformed`."""
    known = list(devices)
    found = [device for device in known if device.id == wanted]
    found = found or [device for device in known if device.name == wanted and device.state is DeviceState.ACTIVE]
    if not found:
        raise NotFound(f"there is no active device {wanted!r}; see `devices list`")
    if len(found) > 1:
        raise Malformed("device", f"{len(found)} devices are called {wanted!r}: give the id of one")
    return found[0]


def _line(device: api.Device) -> DeviceLine:
    return DeviceLine(
        id=device.id,
        name=device.name,
        platform=device.platform,
        state=device.state,
        registered_at=device.registered_at,
        revoked_at=device.revoked_at,
        certificate_until=device.certificate_until,
        last_snapshot_at=device.last_snapshot_at,
        protected_at=device.protected_at,
    )


def _device_lines(found: DeviceList) -> Iterator[str]:
    heading = ("DEVICE", "STATE", "LAST BACKUP", "CERTIFICATE UNTIL", "KIT TESTED", "NAME")
    rows = (
        (
            device.id,
            device.state.value,
            moment(device.last_snapshot_at),
            f"{device.certificate_until:%Y-%m-%d}",
            moment(device.protected_at),
            printable(device.name),
        )
        for device in found.devices
    )
    return columns([heading, *rows])


def _revoked_lines(device: DeviceLine) -> Iterator[str]:
    yield f"{printable(device.name)} ({device.id}) is out since {moment(device.revoked_at)}. Its backups stay."


def _code_lines(made: Code) -> Iterator[str]:
    yield made.code
    yield f"One device comes in with it until {moment(made.expires_at)}: `hort register` or `hort recover --code`."


def _code_list_lines(found: CodeList) -> Iterator[str]:
    rows = (
        (code.id, code.state.value, moment(code.expires_at), code.made_by, code.device or "-") for code in found.codes
    )
    return columns([("CODE", "STATE", "GOOD UNTIL", "MADE BY", "USED BY DEVICE"), *rows])


def _locked_lines(done: Locked) -> Iterator[str]:
    yield f"Account {done.account} is locked since {moment(done.locked_at)}; incident {done.incident}."
    yield f"The last leave to read or write that was given out is dead at {moment(done.grants_end_at)}."
    yield "To open it: change your password (`hort password`), revoke what is not yours, then `account unlock`."


def _unlocked_lines(done: Unlocked) -> Iterator[str]:
    yield f"Account {done.account} is open again; its devices go on with new tokens."
