"""The provider's people come in with Entra ID's tokens: good ones, for us, and in the role they hold there."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from shared.domain.errors import NotAuthenticated
from shared.domain.ids import UserId
from shared.domain.tenancy import Role, UserCaller
from shared.identity import entra
from shared.identity.entra import Entra, IssuerAway
from shared.operations import tokens
from shared.services import Services
from shared.settings import Settings, wall_clock
from tests.conftest import settings_for
from tests.identity.issuer import AUDIENCE, OID, Issuer, running

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROLES = {"Hort.Operator": Role.OPERATOR, "Hort.Billing": Role.BILLING, "Hort.Auditor": Role.AUDITOR}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running("ours") as started:
        yield started


@pytest.fixture
def door(issuer: Issuer) -> Entra:
    return Entra.at(issuer.jwks_url, issuer.url, AUDIENCE, ROLES)


def refusal(door: Entra, token: str) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        door.check(token, NOW)
    return str(refused.value)


def test_a_good_token_is_one_of_the_provider_s_people(issuer: Issuer, door: Entra) -> None:
    caller = door.check(issuer.sign(issuer.claims(NOW)), NOW)
    assert (caller.customer, caller.role) == (None, Role.OPERATOR)
    assert UserId.parse(caller.id) == caller.id
    assert door.check(issuer.sign({**issuer.claims(NOW), "jti": "another"}), NOW).id == caller.id


def test_two_people_are_two_users(issuer: Issuer, door: Entra) -> None:
    other = f"{OID[:-1]}7"
    found = {door.check(issuer.sign({**issuer.claims(NOW), "oid": oid}), NOW).id for oid in (OID, other)}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("held", "role"),
    [
        (["Hort.Billing"], Role.BILLING),
        (["Hort.Auditor"], Role.AUDITOR),
        (["Other", "Hort.Auditor"], Role.AUDITOR),
        (["Hort.Auditor", "Hort.Operator"], Role.OPERATOR),
    ],
)
def test_the_role_is_the_first_of_ours_that_the_token_holds(
    issuer: Issuer, door: Entra, held: list[str], role: Role
) -> None:
    assert door.check(issuer.sign({**issuer.claims(NOW), "roles": held}), NOW).role is role


@pytest.mark.parametrize("held", [[], ["Other"], "Hort.Operator", None, {"Hort.Operator": 1}, ["hort.operator"], 7])
def test_who_holds_no_role_of_ours_does_not_come_in(issuer: Issuer, door: Entra, held: Any) -> None:
    refusal(door, issuer.sign({**issuer.claims(NOW), "roles": held}))


@pytest.mark.parametrize(
    "changed", [{"aud": "api://other"}, {"iss": "https://login.example"}, {"oid": "me"}, {"oid": 7}]
)
def test_a_token_for_another_or_from_another_opens_nothing(
    issuer: Issuer, door: Entra, changed: dict[str, Any]
) -> None:
    refusal(door, issuer.sign({**issuer.claims(NOW), **changed}))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub", "oid", "roles"])
def test_a_token_without_one_of_its_claims_opens_nothing(issuer: Issuer, door: Entra, claim: str) -> None:
    refusal(door, issuer.sign({name: value for name, value in issuer.claims(NOW).items() if name != claim}))


@pytest.mark.parametrize(("by", "word"), [(-timedelta(hours=2), "expired"), (timedelta(hours=1), "future")])
def test_a_token_of_another_time_opens_nothing(issuer: Issuer, door: Entra, by: timedelta, word: str) -> None:
    assert word in refusal(door, issuer.sign(issuer.claims(NOW + by)))


def test_another_issuer_s_key_of_the_same_name_opens_nothing(issuer: Issuer, door: Entra) -> None:
    with running("another") as other:
        refusal(door, other.sign(issuer.claims(NOW)))


def test_other_algorithms_open_nothing(issuer: Issuer, door: Entra) -> None:
    """Neither none, nor a MAC keyed with what everybody may know (RFC 8725 §2.1), nor another with the good key."""
    claims = issuer.claims(NOW)
    public = issuer.keys["one"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
    mac = _b64(hmac.digest(public, f"{head}.{body}".encode(), hashlib.sha256))
    unsigned = jwt.encode(claims, "", "none", headers={"kid": "one"})
    for token in (f"{head}.{body}.{mac}", unsigned, issuer.sign(claims, alg="PS256")):
        refusal(door, token)


def test_the_keys_are_fetched_once(issuer: Issuer, door: Entra) -> None:
    for _ in range(5):
        door.check(issuer.sign(issuer.claims(NOW)), NOW)
    assert issuer.asked == 1


def test_a_flood_of_unknown_keys_does_not_become_one_at_the_issuer(issuer: Issuer, door: Entra) -> None:
    door.check(issuer.sign(issuer.claims(NOW)), NOW)
    issuer.add_key("two")
    issuer.published.discard("two")
    for _ in range(20):
        refusal(door, issuer.sign(issuer.claims(NOW), "two"))
    assert issuer.asked == 1


def test_a_new_key_of_the_issuer_is_learnt_when_the_pause_is_over(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entra, "REFETCH", timedelta(seconds=0.5))
    door = Entra.at(issuer.jwks_url, issuer.url, AUDIENCE, ROLES)
    door.check(issuer.sign(issuer.claims(NOW)), NOW)
    issuer.add_key("two")
    refusal(door, issuer.sign(issuer.claims(NOW), "two"))
    time.sleep(0.6)
    door.check(issuer.sign(issuer.claims(NOW), "two"), NOW)
    assert issuer.asked == 2


def test_an_issuer_that_is_away_is_not_the_caller_s_fault(issuer: Issuer, door: Entra) -> None:
    issuer.away = True
    with pytest.raises(IssuerAway):
        door.check(issuer.sign(issuer.claims(NOW)), NOW)
    issuer.away = False
    door.check(issuer.sign(issuer.claims(NOW)), NOW)
    issuer.away = True
    door.check(issuer.sign(issuer.claims(NOW)), NOW)


@pytest.mark.parametrize("token", ["", "a.b.c", "\u00e4", "x" * 10_000])
def test_what_is_no_token_is_not_claimed(door: Entra, token: str) -> None:
    assert not door.claims_to_have_issued(token)


def settings_with(**entra: str) -> Settings:
    return Settings.model_validate({**settings_for("storage", wall_clock).model_dump(), **entra})


def test_the_issuer_is_set_whole_or_not_at_all() -> None:
    whole = {"entra_issuer": "https://i", "entra_audience": "a", "entra_jwks_url": "https://k"}
    settings_with(**whole)
    settings_with()
    for missing in whole:
        with pytest.raises(ValidationError, match="go together"):
            settings_with(**{name: value for name, value in whole.items() if name != missing})


def test_the_service_asks_the_issuer_only_when_it_is_told_to(services: Services, issuer: Issuer) -> None:
    token = issuer.sign(issuer.claims(services.now()))
    with pytest.raises(NotAuthenticated):
        tokens.caller_of(services, token)
    told = {"entra_issuer": issuer.url, "entra_audience": AUDIENCE, "entra_jwks_url": issuer.jwks_url}
    trusting = Services(services.settings.model_copy(update=told))
    caller = tokens.caller_of(trusting, token)
    assert isinstance(caller, UserCaller)
    assert caller.role is Role.OPERATOR
    assert issuer.asked == 1


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
