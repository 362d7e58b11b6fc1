"""The recovery key as people write it down: groups that each know whether they were copied right.

256 bits are 52 characters of base 32, in 13 groups of four. A fifth character checks its group: a sum over
GF(32) in which every place, and the number of the group, has its own weight. So one wrong character, two that
changed places and two groups that changed places are always found, and the group is named.
"""

from shared.domain.errors import Malformed
from shared.format import base32

RECOVERY_KEY_BYTES = 32
GROUPS = 13

_DATA = 4
_GROUP = _DATA + 1
_POLYNOMIAL = 0b100101
"""x^5 + x^2 + 1 is primitive over GF(2)."""


def kit_code(recovery_key: bytes) -> str:
    """`XXXXX-XXXXX-...`, 13 groups, for the recovery kit."""
    assert len(recovery_key) == RECOVERY_KEY_BYTES, "a recovery key is 32 bytes"
    text = base32.encode(recovery_key)
    groups = [text[at : at + _DATA] for at in range(0, len(text), _DATA)]
    return "-".join(group + base32.ALPHABET[_check(n, _values(group))] for n, group in enumerate(groups, 1))


def parse_kit_code(text: str) -> bytes:
    """The 32 bytes of the recovery key. Raises `Malformed` naming the first group that was copied wrong."""
    code = base32.normal(text)
    if len(code) != GROUPS * _GROUP:
        raise Malformed("recovery key", f"has {len(code)} characters, not {GROUPS * _GROUP}")
    groups = [code[at : at + _GROUP] for at in range(0, len(code), _GROUP)]
    values = [value for n, group in enumerate(groups, 1) for value in _checked(n, group)]
    try:
        return base32.decode(values, RECOVERY_KEY_BYTES)
    except ValueError as error:
        raise Malformed("recovery key", f"group {GROUPS}: {error}") from None


def _checked(number: int, group: str) -> list[int]:
    strange = [character for character in group if character not in base32.VALUES]
    if strange:
        raise Malformed("recovery key", f"group {number} ({group}): {strange[0]!r} is never used")
    *data, check = _values(group)
    if check != _check(number, data):
        raise Malformed("recovery key", f"group {number} ({group}) was not copied right")
    return data


def _values(group: str) -> list[int]:
    return [base32.VALUES[character] for character in group]


def _check(number: int, data: list[int]) -> int:
    """Weights 2, 3, 4, 5 for the places and 6 for the group's number; all differ, and none is the check's own, 1."""
    total = _times(6, number)
    for weight, value in enumerate(data, 2):
        total ^= _times(weight, value)
    return total


def _times(a: int, b: int) -> int:
    """The product in GF(32)."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (_POLYNOMIAL if a & 16 else 0)
        b >>= 1
    return product
