"""Tokens as an attacker would make them, and some that only the service's own key could."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.identity.keyring import KeyRing
from tests.service.people import Service

type Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Forge:
    """Takes a good token apart and makes bad ones of it; `ring` are the service's real keys."""

    token: str
    ring: KeyRing

    @classmethod
    def of(cls, service: Service, token: str) -> "Forge":
        return cls(token, KeyRing.parse(service.stack.settings.signing_keys.get_secret_value()))

    @property
    def header(self) -> Claims:
        return jwt.get_unverified_header(self.token)

    @property
    def claims(self) -> Claims:
        return jwt.decode(self.token, options={"verify_signature": False})

    def signed_by_the_service(self, **changed: Any) -> str:
        """With other claims, and a signature that is good."""
        claims = {**self.claims, **changed}
        left = {name: claim for name, claim in claims.items() if claim is not ...}
        return self.ring.sign(left, self.header["typ"])

    def signed_by(self, key: Ed25519PrivateKey) -> str:
        return jwt.encode(dict(self.claims), key, "EdDSA", headers=dict(self.header))

    def headed(self, **changed: Any) -> str:
        """With another header, and the service's signature over it."""
        signed = f"{_b64(json.dumps({**self.header, **changed}).encode())}.{self._part(1)}"
        return f"{signed}.{_b64(self.ring.keys[0].private.sign(signed.encode()))}"

    def unsigned(self, alg: str) -> str:
        """`alg: none` in its spellings (RFC 8725 §2.1)."""
        return f"{self._head(alg=alg)}.{self._part(1)}."

    def mac_with_the_public_key(self, encoding: Encoding, form: PublicFormat) -> str:
        """HS256 keyed with what everybody may know (RFC 8725 §2.1)."""
        key = self.ring.keys[0].public.public_bytes(encoding, form)
        signed = f"{self._head(alg='HS256')}.{self._part(1)}"
        return f"{signed}.{_b64(hmac.digest(key, signed.encode(), hashlib.sha256))}"

    def tampered(self, part: int) -> str:
        """One character of header (0), claims (1) or signature (2) is another."""
        parts = self.token.split(".")
        at = len(parts[part]) // 2
        other = "A" if parts[part][at] != "A" else "B"
        parts[part] = parts[part][:at] + other + parts[part][at + 1 :]
        return ".".join(parts)

    def promoted(self, **changed: Any) -> str:
        """Other claims under the old signature."""
        head, _, signature = self.token.split(".")
        return f"{head}.{_b64(json.dumps({**self.claims, **changed}).encode())}.{signature}"

    def _head(self, **changed: Any) -> str:
        return _b64(json.dumps({**self.header, **changed}).encode())

    def _part(self, number: int) -> str:
        return self.token.split(".")[number]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
