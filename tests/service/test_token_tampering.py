"""Whatever is done to a token, in whatever place: 401, never an answer and never a fault of ours."""

import json
import string
from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.service.client import Client
from tests.service.forge import Forge
from tests.service.people import Device, Service, register

ALPHABET = string.ascii_letters + string.digits + "-_"
OTHERS = ALPHABET + ".=+/~"
STRANGER = Ed25519PrivateKey.generate()
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def world(service: Service, operator: Client) -> "World":
    customer = service.customer(operator)
    admin = customer.user("admin").log_in()
    device = register(service, admin, customer.account())
    assert admin.token
    return World(service, Forge.of(service, admin.token), device, device.sign(device.claims()))


class World:
    """A good access token that is tampered with, another caller's, and a device that signs assertions."""

    def __init__(self, service: Service, forge: Forge, device: Device, assertion: str) -> None:
        self.service, self.forge, self.device, self.assertion = service, forge, device, assertion
        other = device.log_in().token
        assert other
        self.other = other

    def opens_nothing(self, token: str) -> None:
        answer = self.service.nobody.holding(token).get("/accounts")
        answer.refused(401, "not-authenticated")

    def asserts_nothing(self, assertion: str) -> None:
        self.device.assert_with(assertion).refused(401, "not-authenticated")


@st.composite
def scratched(draw: st.DrawFn, token: str) -> str:
    """One character of a token is another, one too many or one too few."""
    at = draw(st.integers(0, len(token) - 1))
    written = draw(st.sampled_from(["", *OTHERS]))
    after = draw(st.sampled_from([at, at + 1]))
    forged = token[:at] + written + token[after:]
    assume(forged != token)
    return forged


def swapped(token: str, other: str) -> st.SearchStrategy[str]:
    """The parts in another order, or some of them another token's."""
    own, theirs = token.split("."), other.split(".")
    mixed = [f"{a}.{b}.{c}" for a in (own[0], theirs[0]) for b in (own[1], theirs[1]) for c in (own[2], theirs[2])]
    turned = [".".join(parts) for each in (own, theirs) for parts in permutations(each)]
    return st.sampled_from(sorted({*mixed, *turned} - {token, other}))


@given(st.data())
@settings(max_examples=50)
def test_a_scratched_access_token_opens_nothing(world: World, data: st.DataObject) -> None:
    world.opens_nothing(data.draw(scratched(world.forge.token)))


def test_the_last_character_of_a_signature_counts_too(world: World) -> None:
    """Four of its six bits say nothing, and padding says nothing either: one signature has one spelling."""
    for token, refused in ((world.forge.token, world.opens_nothing), (world.assertion, world.asserts_nothing)):
        for last in sorted(set(ALPHABET) - {token[-1]}):
            refused(token[:-1] + last)
        for tail in ("=", "==", "A", "."):
            refused(token + tail)


@given(st.data())
@settings(max_examples=60)
def test_a_scratched_assertion_gets_no_token(world: World, data: st.DataObject) -> None:
    world.asserts_nothing(data.draw(scratched(world.assertion)))


@given(st.data())
@settings(max_examples=30)
def test_parts_of_good_tokens_make_no_good_token(world: World, data: st.DataObject) -> None:
    world.opens_nothing(data.draw(swapped(world.forge.token, world.other)))


HEADERS: dict[str, st.SearchStrategy[Any]] = {
    "kid": ANY_JSON,
    "alg": st.sampled_from(["none", "None", "HS256", "HS512", "RS256", "ES256", "PS256", "EdDSA ", ""]) | ANY_JSON,
    "typ": ANY_JSON,
}


@given(st.data(), st.sampled_from(sorted(HEADERS)))
@settings(max_examples=50)
def test_another_key_algorithm_or_type_in_the_header_opens_nothing(
    world: World, data: st.DataObject, field: str
) -> None:
    """Even under the service's own signature."""
    forged = data.draw(HEADERS[field])
    assume(forged != world.forge.header[field])
    world.opens_nothing(world.forge.headed(**{field: forged}))


@given(
    st.sampled_from(["none", "None", "nOnE", "HS256", "HS384", "HS512"]), st.sampled_from([Encoding.PEM, Encoding.DER])
)
@settings(max_examples=12)
def test_no_algorithm_of_the_forger_s_choice_is_taken(world: World, alg: str, encoding: Encoding) -> None:
    world.opens_nothing(world.forge.unsigned(alg))
    world.opens_nothing(world.forge.mac_with_the_public_key(encoding, PublicFormat.SubjectPublicKeyInfo))
    world.opens_nothing(world.forge.signed_by(STRANGER))


TIMES = {
    "exp": st.integers(-(2**40), -61) | st.floats(max_value=-61, min_value=-1e12),
    "iat": st.integers(90, 2**40) | st.floats(90, 1e300),
    "nbf": st.integers(90, 2**40),
}


@given(st.data(), st.sampled_from(sorted(TIMES)))
@settings(max_examples=60)
def test_a_token_of_another_time_opens_nothing(world: World, data: st.DataObject, claim: str) -> None:
    """Signed by the service itself; the seconds count from now, with a minute for clocks that differ."""
    now = world.service.now().timestamp()
    world.opens_nothing(world.forge.signed_by_the_service(**{claim: now + data.draw(TIMES[claim])}))


CLAIMS = ("iss", "aud", "exp", "iat", "jti", "sub", "customer", "role", "epoch")


@given(st.tuples(st.just("iss"), st.text(max_size=40)) | st.tuples(st.just("aud"), ANY_JSON))
@settings(max_examples=60)
def test_a_token_of_or_for_another_service_opens_nothing(world: World, changed: tuple[str, Any]) -> None:
    claim, forged = changed
    assume(forged != world.forge.claims[claim])
    world.opens_nothing(world.forge.signed_by_the_service(**{claim: forged}))


@given(st.dictionaries(st.sampled_from(CLAIMS), ANY_JSON, min_size=1, max_size=4))
@settings(max_examples=50)
def test_claims_written_anew_under_the_old_signature_open_nothing(world: World, forged: Mapping[str, Any]) -> None:
    assume(json.dumps({**world.forge.claims, **forged}) != json.dumps(world.forge.claims))
    world.opens_nothing(world.forge.promoted(**forged))


@given(st.dictionaries(st.sampled_from(("iss", "sub", "aud", "exp", "iat", "nbf")), ANY_JSON, min_size=1, max_size=3))
@settings(max_examples=60)
def test_an_assertion_that_claims_anything_else_gets_no_token(world: World, forged: Mapping[str, Any]) -> None:
    """Signed by the device itself, which may write what it likes."""
    good, now = world.device.claims(), world.service.now().timestamp()
    assume(all(good.get(name) != value for name, value in forged.items()))
    assume(not any(_is_past(forged.get(name), now) for name in ("iat", "nbf")))  # no forgery: `exp` is what counts
    world.asserts_nothing(world.device.sign({**good, **forged}))


def _is_past(value: Any, now: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= now + 60
