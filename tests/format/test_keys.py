from dataclasses import fields

from shared.domain.ids import AccountId
from shared.format.keys import VaultKeys

MASTER = bytes(range(32))
ACCOUNT = AccountId("01kdvdna000000000000000000")


def subkeys(keys: VaultKeys) -> list[bytes]:
    values = [getattr(keys, field.name) for field in fields(keys)]
    return [value for value in values if isinstance(value, bytes)]


def test_no_two_purposes_share_a_key() -> None:
    made = subkeys(VaultKeys.derive(MASTER, ACCOUNT))
    assert len(set(made)) == len(made) == 8
    assert MASTER not in made


def test_the_same_master_key_gives_another_account_other_keys() -> None:
    mine, other = VaultKeys.derive(MASTER, ACCOUNT), VaultKeys.derive(MASTER, AccountId("01kdvdna000000000000000009"))
    assert not set(subkeys(mine)) & set(subkeys(other))
    assert mine.fingerprint != other.fingerprint


def test_no_key_is_ever_shown() -> None:
    keys = VaultKeys.derive(MASTER, ACCOUNT)
    assert all(repr(key) not in repr(keys) and key.hex() not in repr(keys) for key in subkeys(keys))
    assert keys.fingerprint in repr(keys)
