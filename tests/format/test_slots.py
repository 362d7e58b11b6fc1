import pytest
from hypothesis import given

from shared.domain.ids import AccountId
from shared.format.errors import Damaged, WrongRecoveryKey
from shared.format.slots import open_recovery, seal_recovery
from tests.format.conftest import ACCOUNT
from tests.format.damage import bits, flipped, torn

MASTER, RECOVERY = bytes(range(32)), bytes(range(100, 132))
SLOT = seal_recovery(MASTER, RECOVERY, ACCOUNT, bytes(12))


def test_the_recovery_key_opens_its_slot() -> None:
    assert open_recovery(SLOT, RECOVERY, ACCOUNT) == MASTER


def test_another_key_is_called_wrong() -> None:
    with pytest.raises(WrongRecoveryKey):
        open_recovery(SLOT, bytes(32), ACCOUNT)


def test_a_slot_opens_for_its_own_account_only() -> None:
    with pytest.raises(WrongRecoveryKey):
        open_recovery(SLOT, RECOVERY, AccountId("01kdvdna000000000000000009"))


@given(bits)
def test_a_flipped_bit_is_damage_and_not_a_wrong_key(bit: int) -> None:
    with pytest.raises(Damaged):
        open_recovery(flipped(SLOT, bit), RECOVERY, ACCOUNT)


def test_a_torn_slot_is_damage() -> None:
    for slot in torn(SLOT):
        with pytest.raises(Damaged):
            open_recovery(slot, RECOVERY, ACCOUNT)


def test_the_slot_shows_nothing_of_the_master_key() -> None:
    assert MASTER not in SLOT
    assert RECOVERY not in SLOT
