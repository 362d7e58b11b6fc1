"""The provider's signing keys: one signs, all check, and none is lost on the way from one to the next."""

import json

import pytest

from shared.identity.keyring import KeyRing, announced, new_jwk_set, promoted, retired


def kids(jwk_set: str) -> list[str]:
    return [key.kid for key in KeyRing.parse(jwk_set).keys]


def test_a_key_is_announced_then_signs_then_stands_alone() -> None:
    first = new_jwk_set("one")
    both = announced(first, "two")
    assert (kids(first), kids(both), kids(promoted(both)), kids(retired(promoted(both)))) == (
        ["one"],
        ["one", "two"],
        ["two", "one"],
        ["two"],
    )


def test_no_step_changes_a_key() -> None:
    first = new_jwk_set("one")
    [before] = json.loads(first)["keys"]
    assert before in json.loads(promoted(announced(first, "two")))["keys"]


def test_a_name_is_not_given_twice() -> None:
    with pytest.raises(ValueError, match="'one'"):
        announced(new_jwk_set("one"), "one")


def test_what_one_key_signed_both_rings_check() -> None:
    both = announced(new_jwk_set("one"), "two")
    for ring in (KeyRing.parse(both), KeyRing.parse(promoted(both))):
        assert all(ring.verifier(kid) is not None for kid in ("one", "two"))
        assert ring.verifier("three") is None


def test_a_ring_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no key"):
        KeyRing.parse('{"keys": []}')
