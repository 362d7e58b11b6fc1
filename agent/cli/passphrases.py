"""`hort passphrase set` and `hort passphrase remove`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.cli.device import Device
from agent.cli.home import find_home, new_passphrase, password
from agent.cli.output import Outcome
from agent.cli.remote import service_as
from agent.cli.signing_in import SignIn, come_in
from agent.passphrases import Chosen, put_passphrase, refuse_if_weak
from shared.domain.ids import AccountId


@dataclass(frozen=True, slots=True)
class PassphraseState:
    """The document of both."""

    account: AccountId
    passphrase: bool
    """Whether one opens the account now."""


def set_passphrase(login: str, password_file: Path | None, passphrase_file: Path | None) -> Outcome[PassphraseState]:
    home = find_home()
    device = Device.load(home)
    account, master_key = device.registration.account, home.master_key()
    assert master_key is not None, "the device was loaded with it"
    chosen = new_passphrase(passphrase_file)
    refuse_if_weak(chosen)
    person = service_as(device, login, password(password_file, login))
    put_passphrase(Chosen(account, master_key, chosen), person)
    return Outcome(PassphraseState(account, True), _lines)


def remove_passphrase(wish: SignIn) -> Outcome[PassphraseState]:
    person, account = come_in(wish)
    person.remove_passphrase(account.id)
    return Outcome(PassphraseState(account.id, False), _lines)


def _lines(state: PassphraseState) -> Iterator[str]:
    if state.passphrase:
        yield f"The passphrase opens account {state.account} on a new device, for who may sign in or has a code."
        yield "The recovery kit opens it as before. Keep the kit: a passphrase can be forgotten."
    else:
        yield f"No passphrase opens account {state.account} any more; the recovery kit does."
