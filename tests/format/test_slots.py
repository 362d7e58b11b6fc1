"""The three ways to the master key: each opens with its own secret, for its own account, and nothing else opens."""

import hashlib
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given

from shared.domain.errors import HortError, Malformed
from shared.domain.ids import AccountId
from shared.format import slots
from shared.format.errors import Damaged, WrongDevice, WrongPassphrase, WrongRecoveryKey
from shared.format.slots import CEILING, FLOOR, Cost
from tests.format.conftest import ACCOUNT
from tests.format.damage import bits, flipped, torn

OTHER = AccountId("01kdvdna000000000000000009")
MASTER, RECOVERY = bytes(range(32)), bytes(range(100, 132))
PASSPHRASE = "Die Königin wohnt über dem Fluß"
DEVICE, EPHEMERAL = (X25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


@dataclass(frozen=True, slots=True)
class Way:
    """A slot, the right and a wrong secret, and what the wrong one is called."""

    slot: bytes
    open: Callable[[bytes, AccountId], bytes]
    open_wrongly: Callable[[bytes, AccountId], bytes]
    wrong: type[HortError]


WAYS = {
    "recovery": Way(
        slots.seal_recovery(MASTER, RECOVERY, ACCOUNT, bytes(12)),
        lambda slot, account: slots.open_recovery(slot, RECOVERY, account),
        lambda slot, account: slots.open_recovery(slot, bytes(32), account),
        WrongRecoveryKey,
    ),
    "passphrase": Way(
        slots.seal_passphrase(MASTER, PASSPHRASE, ACCOUNT, bytes(16), bytes(12)),
        lambda slot, account: slots.open_passphrase(slot, PASSPHRASE, account),
        lambda slot, account: slots.open_passphrase(slot, PASSPHRASE.lower(), account),
        WrongPassphrase,
    ),
    "device": Way(
        slots.seal_device(MASTER, DEVICE.public_key(), ACCOUNT, EPHEMERAL, bytes(12)),
        lambda slot, account: slots.open_device(slot, DEVICE, account),
        lambda slot, account: slots.open_device(slot, EPHEMERAL, account),
        WrongDevice,
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


def test_a_slot_opens_with_its_own_secret(way: Way) -> None:
    assert way.open(way.slot, ACCOUNT) == MASTER


def test_another_secret_is_called_wrong(way: Way) -> None:
    with pytest.raises(way.wrong):
        way.open_wrongly(way.slot, ACCOUNT)


def test_a_slot_opens_for_its_own_account_only(way: Way) -> None:
    with pytest.raises(way.wrong):
        way.open(way.slot, OTHER)


@given(bits)
def test_a_flipped_bit_is_damage_and_not_a_wrong_secret(bit: int) -> None:
    for way in WAYS.values():
        with pytest.raises(Damaged):
            way.open(flipped(way.slot, bit), ACCOUNT)


def test_a_torn_slot_is_damage(way: Way) -> None:
    for slot in torn(way.slot):
        with pytest.raises(Damaged):
            way.open(slot, ACCOUNT)


def test_a_slot_of_one_way_is_damage_to_another() -> None:
    for one, other in product(WAYS.values(), repeat=2):
        if one is not other:
            with pytest.raises(Damaged):
                one.open(other.slot, ACCOUNT)


def test_a_forged_commitment_opens_nothing(way: Way) -> None:
    """With the checksum made right again, as whoever owns the storage would."""
    at = len(way.slot) - 8 - 48 - 12 - 32
    with pytest.raises(way.wrong):
        way.open(forged(way.slot, at, bytes(32)), ACCOUNT)


def test_a_forged_body_opens_nothing(way: Way) -> None:
    with pytest.raises(Damaged):
        way.open(forged(way.slot, len(way.slot) - 8 - 48, bytes(48)), ACCOUNT)


def test_the_slot_shows_nothing_of_the_secrets(way: Way) -> None:
    for secret in (MASTER, RECOVERY, PASSPHRASE.encode(), DEVICE.private_bytes_raw(), EPHEMERAL.private_bytes_raw()):
        assert secret not in way.slot


def forged(slot: bytes, at: int, part: bytes) -> bytes:
    body = (slot[:at] + part + slot[at + len(part) :])[:-8]
    return body + hashlib.sha256(body).digest()[:8]


OUT_OF_BOUNDS = [
    Cost(iterations=FLOOR.iterations - 1),
    Cost(memory_kib=FLOOR.memory_kib - 1),
    Cost(lanes=FLOOR.lanes - 1),
    Cost(iterations=CEILING.iterations + 1),
    Cost(memory_kib=CEILING.memory_kib + 1),
    Cost(lanes=CEILING.lanes + 1),
    Cost(0, 0, 0),
    Cost(*[2**32 - 1] * 3),
]


@pytest.mark.parametrize("cost", OUT_OF_BOUNDS, ids=str)
def test_a_passphrase_is_never_sealed_too_cheaply_or_too_dearly(cost: Cost) -> None:
    with pytest.raises(Malformed):
        slots.seal_passphrase(MASTER, PASSPHRASE, ACCOUNT, bytes(16), bytes(12), cost)


@pytest.mark.parametrize("cost", OUT_OF_BOUNDS, ids=str)
def test_a_hostile_cost_is_refused_before_it_is_paid(cost: Cost) -> None:
    header = struct.pack(">III", cost.iterations, cost.memory_kib, cost.lanes)
    with pytest.raises(Damaged, match="Cost"):
        slots.open_passphrase(forged(WAYS["passphrase"].slot, 6, header), PASSPHRASE, ACCOUNT)


def test_a_higher_cost_than_the_floor_opens_still() -> None:
    cost = Cost(iterations=FLOOR.iterations + 1)
    slot = slots.seal_passphrase(MASTER, PASSPHRASE, ACCOUNT, bytes(16), bytes(12), cost)
    assert slots.open_passphrase(slot, PASSPHRASE, ACCOUNT) == MASTER


def test_a_passphrase_opens_however_the_keyboard_writes_its_umlauts() -> None:
    decomposed = unicodedata.normalize("NFD", PASSPHRASE)
    assert decomposed != PASSPHRASE
    assert slots.open_passphrase(WAYS["passphrase"].slot, decomposed, ACCOUNT) == MASTER


def test_a_point_of_small_order_is_damage() -> None:
    with pytest.raises(Damaged, match="ephemeral"):
        slots.open_device(forged(WAYS["device"].slot, 6, bytes(32)), DEVICE, ACCOUNT)
