import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.format.base32 import ALPHABET
from shared.format.recovery import GROUPS, kit_code, parse_kit_code

keys = st.binary(min_size=32, max_size=32)
groups = st.integers(0, GROUPS - 1)


@given(keys)
def test_a_kit_code_gives_its_key_back(key: bytes) -> None:
    assert parse_kit_code(kit_code(key)) == key


@given(keys)
def test_small_letters_spaces_and_lookalikes_do_no_harm(key: bytes) -> None:
    typed = kit_code(key).lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert parse_kit_code(f"  {typed}\n") == key


@given(keys, groups, st.integers(0, 4), st.sampled_from(ALPHABET))
def test_every_wrong_character_is_found_and_its_group_named(key: bytes, group: int, place: int, other: str) -> None:
    code = kit_code(key).split("-")
    if code[group][place] == other:
        return
    code[group] = code[group][:place] + other + code[group][place + 1 :]
    with pytest.raises(Malformed, match=f"group {group + 1} "):
        parse_kit_code("-".join(code))


@given(keys, groups, st.permutations(range(5)))
def test_two_characters_that_changed_places_are_found(key: bytes, group: int, order: list[int]) -> None:
    first, second = order[:2]
    code = kit_code(key).split("-")
    letters = list(code[group])
    if letters[first] == letters[second]:
        return
    letters[first], letters[second] = letters[second], letters[first]
    code[group] = "".join(letters)
    with pytest.raises(Malformed, match=f"group {group + 1} "):
        parse_kit_code("-".join(code))


@given(keys, st.permutations(range(GROUPS)))
def test_two_groups_that_changed_places_are_found(key: bytes, order: list[int]) -> None:
    first, second = order[:2]
    code = kit_code(key).split("-")
    code[first], code[second] = code[second], code[first]
    with pytest.raises(Malformed, match=r"group \d+ "):
        parse_kit_code("-".join(code))


@pytest.mark.parametrize("text", ["", "ABCDE", "?" * 65, "U" * 65, "0" * 64, "0" * 66])
def test_what_is_no_kit_code_is_refused_in_words(text: str) -> None:
    with pytest.raises(Malformed, match="recovery key: "):
        parse_kit_code(text)


def test_the_code_has_thirteen_groups_of_five() -> None:
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){12}[0-9A-HJKMNP-TV-Z]{5}", kit_code(bytes(range(32))))
