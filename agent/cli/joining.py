"""`hort register`, `hort recover` and `hort init`: how this device comes to an account."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.account_keys import KeyOrder
from agent.cli.device import Device
from agent.cli.home import ask_secret, device_name, find_home, new_password, passphrase, password
from agent.cli.output import Outcome
from agent.cli.vaults import folder_of
from agent.config import Home, Registration, parse_service_url
from agent.credentials import Password
from agent.engine.orders import utc_now
from agent.enrolment import (
    Applicant,
    Enrolled,
    Opening,
    by_passphrase,
    by_recovery_key,
    choose_account,
    enrol_with_code,
    join_first,
    join_with_key,
    recovery_slot,
)
from agent.folder_enrolment import (
    FolderApplicant,
    account_for_folder,
    extend_to_folder,
    make_folder_vault,
    open_folder_vault,
)
from agent.folder_vault import account_of
from agent.kit import RecoveryKit, read_kit
from agent.lock import only_run
from agent.passwords import MUST_CHANGE, change_password
from agent.patience import Patience
from agent.replies import NotAuthorised
from agent.service import Service
from agent.transport import Transport
from shared.domain.errors import HortError, Malformed
from shared.domain.ids import AccountId
from shared.format.recovery import parse_kit_code


class AlreadyRegistered(HortError):
    def __init__(self, registration: Registration) -> None:
        super().__init__(f"this device is registered as {registration.name!r} in account {registration.account}")


@dataclass(frozen=True, slots=True)
class Joining:
    """What the user said on the command line."""

    service: str | None
    login: str | None
    password_file: Path | None
    new_password_file: Path | None
    account: str | None
    name: str | None
    kit: Path | None
    recovery_key: str | None = field(repr=False)
    code: str | None = field(repr=False)
    """An administrator's enrolment code, in the place of login and password."""
    by_passphrase: bool = False
    passphrase_file: Path | None = None

    @property
    def remembers(self) -> bool:
        """The user opens the account with its passphrase."""
        return self.by_passphrase or self.passphrase_file is not None


@dataclass(frozen=True, slots=True)
class Joined:
    """The document of `register`, `recover` and `init`."""

    service: str | None
    account: AccountId
    device: str
    name: str
    fingerprint: str
    kit: Path | None
    """Where the recovery kit was written, for the account's first device."""


def register(wish: Joining) -> Outcome[Joined]:
    with unregistered_home() as home:
        service, who = _come_in(wish, home, None)
        kit_path = (wish.kit or default_kit(who.account)).absolute()
        if wish.remembers or recovery_slot(service, who.account) is not None:
            return joined(join_with_key(who, service, home, _opening(wish, who.account, kit_path)), None)
        order = KeyOrder(who.account, who.service_url, who.device_name, kit_path, utc_now(), os.urandom)
        return joined(join_first(who, service, home, order), kit_path)


def recover(wish: Joining) -> Outcome[Joined]:
    with unregistered_home() as home:
        kit = None if wish.kit is None else read_kit(wish.kit)
        service, who = _come_in(wish, home, kit)
        return joined(join_with_key(who, service, home, _opening(wish, who.account, wish.kit)), None)


def init(vault_url: str, name: str | None, kit: Path | None) -> Outcome[Joined]:
    home, folder = find_home(), folder_of(vault_url)
    with only_run(home.lock):
        registration = home.registration_if_any()
        if registration is not None:
            extend_to_folder(folder, home, registration)
            return joined(Enrolled(registration, Device.load(home).keys.fingerprint), None)
        who = FolderApplicant(folder, device_name(name), utc_now())
        account = account_for_folder(who)
        kit_path = (kit or default_kit(account)).absolute()
        return joined(make_folder_vault(who, account, home, kit_path), kit_path)


def recover_folder(vault_url: str, kit: Path | None, recovery_key: str | None, name: str | None) -> Outcome[Joined]:
    folder = folder_of(vault_url)
    with unregistered_home() as home:
        key = read_kit(kit).key_for(account_of(folder)) if kit else typed_key(recovery_key)
        who = FolderApplicant(folder, device_name(name), utc_now())
        return joined(open_folder_vault(who, home, key), None)


@contextmanager
def unregistered_home() -> Generator[Home]:
    """This run's alone. Raises `AlreadyRegistered`: a home belongs to one account."""
    home = find_home()
    with only_run(home.lock):
        registration = home.registration_if_any()
        if registration is not None:
            raise AlreadyRegistered(registration)
        yield home


def default_kit(account: AccountId) -> Path:
    """In the folder where the user is, where it will be seen."""
    return Path.cwd() / f"hort-recovery-kit-{account}.txt"


def typed_key(text: str | None) -> bytes:
    """From the command line or the terminal. Raises `Malformed` with the group that was typed wrong."""
    return parse_kit_code(text or ask_secret("Recovery key (13 groups): ", "--kit or --recovery-key"))


def joined(enrolled: Enrolled, kit: Path | None) -> Outcome[Joined]:
    who = enrolled.registration
    return Outcome(Joined(who.service, who.account, who.device, who.name, enrolled.fingerprint, kit), _lines)


def _come_in(wish: Joining, home: Home, kit: RecoveryKit | None) -> tuple[Service, Applicant]:
    """The service as it may be asked from now on, and who this device is there."""
    if wish.code is None:
        service = _service(wish, kit)
        return service, _applicant(wish, service, kit)
    url, transport = _url(wish, kit), Transport(Patience())
    newcomer = enrol_with_code(url, device_name(wish.name), wish.code, transport, home)
    return Service(url, newcomer.key, transport), newcomer.who


def _service(wish: Joining, kit: RecoveryKit | None) -> Service:
    if wish.login is None:
        raise Malformed("login", "give your user name with --login, or an enrolment code with --code")
    return _with_own_password(wish, _url(wish, kit), wish.login)


def _with_own_password(wish: Joining, url: str, login: str) -> Service:
    """The service as this user; a first password is changed on the way, as nothing else would open (N11)."""

    def service_with(password: str) -> Service:
        return Service(url, Password(login, password), Transport(Patience()))

    told = password(wish.password_file, login)
    service = service_with(told)
    try:
        service.accounts()
    except NotAuthorised as no:
        if no.slug != MUST_CHANGE and wish.new_password_file is None:
            raise
        return change_password(service_with, told, new_password(wish.new_password_file))
    return service


def _url(wish: Joining, kit: RecoveryKit | None) -> str:
    told = wish.service or (kit.service if kit else None)
    if told is None:
        raise Malformed("service", "give the service's URL with --service")
    return parse_service_url(told)


def _applicant(wish: Joining, service: Service, kit: RecoveryKit | None) -> Applicant:
    wanted = AccountId.parse(wish.account) if wish.account else (kit.account if kit else None)
    account = choose_account(service.accounts(), wanted)
    return Applicant(_url(wish, kit), account, device_name(wish.name))


def _opening(wish: Joining, account: AccountId, kit: Path | None) -> Opening:
    """What the user has: passphrase, key or kit, also a kit that an unfinished try has left."""
    if wish.remembers:
        return by_passphrase(passphrase(wish.passphrase_file))
    if wish.recovery_key is None and kit is not None and kit.exists():
        return by_recovery_key(read_kit(kit).key_for(account))
    return by_recovery_key(typed_key(wish.recovery_key))


def _lines(joined: Joined) -> Iterator[str]:
    yield f"This device is {joined.name!r} ({joined.device}) in account {joined.account}."
    yield f"Key fingerprint: {joined.fingerprint}"
    if joined.kit is not None:
        yield ""
        yield f"Your recovery kit is in {joined.kit}"
        yield "Prove that it works, with `hort recovery-kit test --kit FILE`: only then is this device protected."
        yield "Print it, keep it away from this device, then delete the file. Whoever holds it can read your backups."
        yield "Nobody can make this key again: lose every device and the kit, and the data is lost for ever."
