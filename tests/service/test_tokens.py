"""Access tokens: only what the service signed, for itself, not long ago, opens anything."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from demo.stack import OPERATOR
from tests.service.client import Client
from tests.service.forge import Forge
from tests.service.people import Device, Service, User

ELSEWHERE = "https://elsewhere.example"


@pytest.fixture(scope="module")
def forge(service: Service, admin_client: Client) -> Forge:
    assert admin_client.token
    return Forge.of(service, admin_client.token)


def refuse(service: Service, token: str) -> str:
    """The reason why this token opens nothing; a good one would have listed the customer's accounts."""
    answer = service.nobody.holding(token).get("/accounts")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    return answer.refused(401, "not-authenticated")["detail"]


def test_the_token_that_the_others_are_made_of_is_good(service: Service, forge: Forge) -> None:
    service.nobody.holding(forge.token).get("/accounts").made(200)
    service.nobody.holding(forge.signed_by_the_service()).get("/accounts").made(200)
    service.nobody.holding(forge.headed()).get("/accounts").made(200)


def test_without_a_token_nothing_opens(service: Service) -> None:
    service.nobody.get("/accounts").refused(401, "not-authenticated")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic b3A6cHc=", "Bearer a b", "Bearer \u00e4", "a.b.c"])
def test_what_is_no_bearer_token_opens_nothing(service: Service, value: str) -> None:
    headers = {"Authorization": value.encode("latin-1").decode("latin-1")}
    service.nobody.call("GET", "/accounts", headers=headers).refused(401, "not-authenticated")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_tampered_with_opens_nothing(service: Service, forge: Forge, part: int) -> None:
    refuse(service, forge.tampered(part))


def test_a_token_cannot_be_given_another_role(service: Service, forge: Forge) -> None:
    promoted = service.nobody.holding(forge.promoted(role="operator", customer=None))
    promoted.get("/customers").refused(401, "not-authenticated")


def test_an_expired_token_opens_nothing(service: Service, forge: Forge) -> None:
    now = int(service.now().timestamp())
    assert "expired" in refuse(service, forge.signed_by_the_service(iat=now - 1000, exp=now - 100))


def test_a_token_of_a_quarter_of_an_hour_ago_opens_nothing(timeless: Service) -> None:
    user = timeless.customer().user()
    client = user.log_in()
    client.get("/accounts").made(200)
    timeless.advance(minutes=14)
    client.get("/accounts").made(200)
    timeless.advance(minutes=3)
    assert "expired" in client.get("/accounts").refused(401, "not-authenticated")["detail"]


def test_a_token_from_the_future_opens_nothing(service: Service, forge: Forge) -> None:
    now = int(service.now().timestamp())
    assert "future" in refuse(service, forge.signed_by_the_service(iat=now + 600, exp=now + 900))


def test_a_token_that_another_key_signed_opens_nothing(service: Service, forge: Forge) -> None:
    refuse(service, forge.signed_by(Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_opens_nothing(service: Service, forge: Forge, alg: str) -> None:
    refuse(service, forge.unsigned(alg))


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        (Encoding.Raw, PublicFormat.Raw),
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ],
)
def test_a_token_keyed_with_the_public_key_opens_nothing(
    service: Service, forge: Forge, encoding: Encoding, form: PublicFormat
) -> None:
    refuse(service, forge.mac_with_the_public_key(encoding, form))


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_a_token_of_another_service_opens_nothing(service: Service, forge: Forge, claim: str) -> None:
    refuse(service, forge.signed_by_the_service(**{claim: ELSEWHERE}))


@pytest.mark.parametrize("claim", ["iss", "aud", "iat", "exp", "jti", "sub", "customer", "role", "epoch"])
def test_a_token_without_one_of_its_claims_opens_nothing(service: Service, forge: Forge, claim: str) -> None:
    refuse(service, forge.signed_by_the_service(**{claim: ...}))


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": None}, {"kid": "other"}, {"kid": ["local"]}])
def test_another_kind_of_jwt_is_no_access_token(service: Service, forge: Forge, header: dict[str, object]) -> None:
    refuse(service, forge.headed(**header))


def test_a_devices_assertion_is_no_access_token(service: Service, device: Device) -> None:
    refuse(service, device.sign(device.claims()))


def test_the_published_keys_hold_nothing_private(service: Service) -> None:
    keys = service.nobody.get("/jwks").made(200)["keys"]
    assert [sorted(key) for key in keys] == [["alg", "crv", "kid", "kty", "use", "x"]]


def test_a_user_logs_in_with_any_spelling_of_the_name(service: Service, admin: User) -> None:
    service.log_in(f"  {admin.login.upper()} ", admin.password).get("/accounts").made(200)


def test_a_wrong_password_and_an_unknown_user_get_the_same_words(service: Service, admin: User) -> None:
    unique = secrets.token_hex(8)
    wrong = service.nobody.ask_token(grant_type="password", username=admin.login, password="wrong")
    unknown = service.nobody.ask_token(grant_type="password", username=f"{unique}@muster.example", password="wrong")
    strange = service.nobody.ask_token(grant_type="password", username=f"\u0000'; drop {unique}", password="wrong")
    told = [answer.refused(401, "not-authenticated") for answer in (wrong, unknown, strange)]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"grant_type",
        b"grant_type=password",
        b"grant_type=refresh_token",
        b"grant_type=password&username=x",
        b"grant_type=password&username=&password=",
        b"grant_type=password&username=x&password=y&admin=true",
        b"grant_type=client_credentials",
        b"grant_type=client_credentials&client_assertion_type=x&client_assertion=y",
        b'{"grant_type": "password"}',
        b"\xff\xfe",
    ],
)
def test_a_token_request_that_is_none_gets_400(service: Service, form: bytes) -> None:
    answer = service.nobody.call("POST", "/token", form)
    assert (answer.status, answer["type"]) == (400, "urn:hort:problem:invalid-request"), answer.data
    assert answer["field"]


def test_a_huge_token_request_gets_413(service: Service) -> None:
    form = b"grant_type=password&username=x&password=" + b"p" * (1 << 20)
    service.nobody.call("POST", "/token", form).refused(413, "too-large")


def test_the_operators_name_with_another_password_opens_nothing(service: Service) -> None:
    answer = service.nobody.ask_token(grant_type="password", username=OPERATOR, password="")
    answer.refused(400, "invalid-request", "username")
    answer = service.nobody.ask_token(grant_type="password", username=OPERATOR, password="operator")
    answer.refused(401, "not-authenticated")
