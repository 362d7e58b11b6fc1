"""Customers, their users and their devices, so that a test reads like a sentence."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from demo.stack import OPERATOR, Stack
from shared.domain.ids import UserId
from shared.domain.tenancy import Role
from shared.operations import users
from tests.certificates import csr
from tests.service.client import Answer, Client, Secrets
from tests.service.contract import Contract

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Service:
    """A running stack as the tests see it: its URL, its time, and the provider's first operator."""

    stack: Stack
    secrets: Secrets = field(default_factory=Secrets)

    @cached_property
    def nobody(self) -> Client:
        """A caller without a token."""
        return Client(self.stack.url, self.contract, self.secrets)

    @cached_property
    def contract(self) -> Contract:
        bare = Client(self.stack.url, Contract({"paths": {}}), self.secrets)
        return Contract(bare.get("/openapi.json").json)

    @property
    def token_url(self) -> str:
        return f"{self.stack.url}/api/v1/token"

    def now(self) -> datetime:
        return datetime.fromisoformat(self.nobody.get("/jwks").headers["Hort-Time"])

    def advance(self, **timedelta: float) -> None:
        """Live through this much time, with all that falls due in it; wants the virtual clock."""
        seconds = _seconds(timedelta)
        reply = self.nobody.pool.request("POST", f"{self.stack.url}/admin/clock", json={"advance_seconds": seconds})
        assert reply.status == 200, reply.data

    def operator(self) -> Client:
        password = self.stack.operator_password()
        self.secrets.add(password)
        return self.log_in(OPERATOR, password)

    def log_in(self, login: str, password: str) -> Client:
        answer = self.nobody.ask_token(grant_type="password", username=login, password=password)
        return self.nobody.holding(answer.made(200)["access_token"])

    def staff(self, role: Role) -> Client:
        """Another of the provider's people."""
        services = self.stack.services
        login = f"{role}.{secrets.token_hex(8)}@provider.example"
        made = users.create_user(services, users.CreateUser(services.new(UserId), None, "Stefan Stab", login, role))
        return User(self, made.user.id, login, made.password).settled().log_in()

    def customer(self, operator: Client | None = None) -> "Customer":
        provider = operator or self.operator()
        made = provider.post("/customers", {"name": "Muster AG"}).made()
        return Customer(self, provider, made["id"])

    def log(self) -> str:
        return self.stack.log.read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class Customer:
    service: Service
    operator: Client
    id: str

    def account(self) -> str:
        return self.operator.post(f"/customers/{self.id}/accounts", {"name": "Buchhaltung"}).made()["id"]

    def user(self, role: str = "admin") -> "User":
        """With a password of their own."""
        return self.newcomer(role).settled()

    def newcomer(self, role: str = "admin") -> "User":
        """With a first password."""
        login = f"{role}.{secrets.token_hex(8)}@muster.example"
        body = {"name": "Moritz Muster", "login": login, "role": role}
        made = self.operator.post(f"/customers/{self.id}/users", body).made()
        self.service.secrets.add(made["password"])
        return User(self.service, made["id"], login, made["password"])


@dataclass(frozen=True, slots=True)
class User:
    service: Service
    id: str
    login: str
    password: str

    def log_in(self) -> Client:
        return self.service.log_in(self.login, self.password)

    def settled(self) -> "User":
        """After the first log-in."""
        chosen = secrets.token_hex(16)
        self.service.secrets.add(self.password, chosen)
        self.log_in().post("/password", {"old_password": self.password, "new_password": chosen}).made(200)
        return replace(self, password=chosen)


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device with its key pair and certificate."""

    service: Service
    account: str
    id: str
    key: Ed25519PrivateKey
    certificate: str

    @classmethod
    def of(cls, service: Service, made: Mapping[str, Any], key: Ed25519PrivateKey) -> "Device":
        """As the service described it."""
        return cls(service, made["account"], made["id"], key, made["certificate"])

    @property
    def thumbprint(self) -> str:
        """RFC 7515 §4.1.8."""
        der = x509.load_pem_x509_certificate(self.certificate.encode()).public_bytes(Encoding.DER)
        return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()

    @property
    def path(self) -> str:
        return f"/accounts/{self.account}/devices/{self.id}"

    @property
    def sessions(self) -> str:
        return f"/accounts/{self.account}/sessions"

    def claims(self) -> dict[str, Any]:
        """Those of a good assertion (RFC 7523 §3)."""
        now = int(self.service.now().timestamp())
        subject = f"{self.account}.{self.id}"
        times = {"iat": now, "exp": now + 120}
        return {"iss": subject, "sub": subject, "aud": self.service.token_url, "jti": secrets.token_hex(16), **times}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        # By the layer below: `jwt.encode` refuses claims that are not what they should be.
        named = {name: value for name, value in {"x5t#S256": self.thumbprint, **header}.items() if value is not ...}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.key, "EdDSA", headers=named)

    def assert_with(self, assertion: str) -> Answer:
        """What the token endpoint says to this assertion."""
        self.service.secrets.add(assertion)
        return self.service.nobody.ask_token(
            grant_type="client_credentials", client_assertion_type=JWT_BEARER, client_assertion=assertion
        )

    def log_in(self) -> Client:
        answer = self.assert_with(self.sign(self.claims()))
        return self.service.nobody.holding(answer.made(200)["access_token"])


def register(service: Service, user: Client, account: str) -> Device:
    """A new device, as a user of the customer registers it."""
    key = Ed25519PrivateKey.generate()
    body = {"name": "Laptop", "platform": "linux x86_64", "csr": csr(key)}
    return Device.of(service, user.post(f"/accounts/{account}/devices", body).made(), key)


def new_device(service: Service) -> Device:
    """A device in an account of its own, of a customer of its own."""
    customer = service.customer()
    return register(service, customer.user().log_in(), customer.account())


def _seconds(parts: Mapping[str, float]) -> float:
    units = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    return sum(units[unit] * count for unit, count in parts.items())
