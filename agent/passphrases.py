"""A passphrase beside the recovery key: the same vault, opened with what a person can remember."""

import base64
import os
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from agent.device_slot import slot_named
from agent.person import Person
from shared.api.tenancy import PutSlot, Slot
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId
from shared.format.slots import NONCE_BYTES, SALT_BYTES, seal_passphrase

PASSPHRASE = "passphrase"  # noqa: S105 -- a name
"""The slot's name at the service."""

ENOUGH_GUESSES_LOG10 = 14
"""A guess costs Argon2id over 64 MiB, 0.2 s of a core (`time.process_time` around `seal_passphrase`): 10^14 take that
core 600,000 years. And before the first, an attacker has to have the account's slot and the provider's key."""

_MEASURED_CHARACTERS = 72
"""zxcvbn looks at no more; what is longer is not weaker."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A new passphrase for an account whose master key this device has."""

    account: AccountId
    master_key: bytes = field(repr=False)
    passphrase: str = field(repr=False)


def put_passphrase(order: Chosen, person: Person) -> Slot:
    """Makes the account's passphrase slot, or puts it in the place of the one before. `person` is the service as a
    user: a stolen device must not open a way of its own."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = seal_passphrase(order.master_key, order.passphrase, order.account, salt, nonce)
    body = PutSlot(sealed=base64.b64encode(sealed).decode())
    there = slot_named(person, order.account, PASSPHRASE)
    if there is None:
        return person.create_slot(order.account, PASSPHRASE, body)
    return person.replace_slot(order.account, PASSPHRASE, body, there.etag)


def refuse_if_weak(passphrase: str) -> None:
    """Raises `Malformed` with what makes it easy to guess, and what would help."""
    found = _estimate(passphrase[:_MEASURED_CHARACTERS])
    if found["guesses_log10"] >= ENOUGH_GUESSES_LOG10:
        return
    said: dict[str, Any] = found["feedback"]
    reasons = [str(said["warning"]).rstrip("."), *(str(each).rstrip(".") for each in said["suggestions"])]
    told = ". ".join(reason for reason in reasons if reason) or "Make it longer: four uncommon words will do"
    guesses = f"about 10^{int(found['guesses_log10'])} guesses find it, and 10^{ENOUGH_GUESSES_LOG10} must not"
    raise Malformed("passphrase", f"is too weak: {guesses}. {told}.")


def _estimate(passphrase: str) -> dict[str, Any]:
    """What zxcvbn says, a library without types; it takes no empty text."""
    return import_module("zxcvbn").zxcvbn(passphrase or "a")
