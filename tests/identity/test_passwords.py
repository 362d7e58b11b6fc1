"""Passwords at the shipped price, whatever cheaper ones the other tests use."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import Parameters, Type, extract_parameters
from argon2.profiles import CHEAPEST
from pydantic import SecretStr

from shared.identity import passwords
from shared.identity.passwords import Passwords, TooManyAtOnce
from shared.services import Services
from shared.settings import Settings
from tests.certificates import CA

MIB_IN_KIB = 1024
SLOW: Parameters = replace(CHEAPEST, memory_cost=64 * MIB_IN_KIB, time_cost=10)


def shipped() -> Passwords:
    """As the service has them."""
    told = Settings(storage=SecretStr("x"), signing_keys=SecretStr("x"), ca=SecretStr(CA), key_dir=Path("keys"))
    return Services(told).passwords


def test_a_hash_costs_what_rfc_9106_asks_for() -> None:
    """Its second recommended option, §4: Argon2id, 3 passes, 4 lanes, 64 MiB, 16 bytes of salt, 32 of tag."""
    price = extract_parameters(shipped().hash("correct horse"))
    assert (price.type, price.time_cost, price.parallelism, price.memory_cost) == (Type.ID, 3, 4, 64 * MIB_IN_KIB)
    assert (price.salt_len, price.hash_len) == (16, 32)


def test_a_password_is_checked_at_the_price_of_its_hash() -> None:
    """So the price can rise one day, and the hashes that are there go on."""
    cheap = Passwords(CHEAPEST).hash("correct horse")
    assert shipped().is_right("correct horse", cheap)
    assert not shipped().is_right("wrong horse", cheap)


def test_what_is_no_hash_and_who_is_nobody_are_never_right() -> None:
    for known in (None, "", "no hash"):
        assert not Passwords(CHEAPEST).is_right("correct horse", known)


def test_no_more_hashes_are_made_at_once_than_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes long stands for a crowd; who waited in vain is heard when it is over."""
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.05)
    slow = Passwords(SLOW, at_once=1)

    def try_once(_: int) -> bool:
        try:
            return bool(slow.hash("correct horse"))
        except TooManyAtOnce:
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(try_once, range(3))) == [False, False, True]
    assert try_once(0)


def test_who_was_wrong_leaves_room_for_the_next() -> None:
    one = Passwords(CHEAPEST, at_once=1)
    for known in (None, "no hash", one.hash("correct horse")):
        assert not one.is_right("wrong horse", known)
