"""The provider's signing keys: the first signs, all of them check, so that keys change without logging anybody out."""

import json
from dataclasses import dataclass
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

ALGORITHM = "EdDSA"


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()

    def public_jwk(self) -> dict[str, str]:
        jwk: dict[str, str] = OKPAlgorithm.to_jwk(self.public, as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": ALGORITHM}


@dataclass(frozen=True, slots=True)
class KeyRing:
    keys: tuple[SigningKey, ...]

    @classmethod
    def parse(cls, jwk_set: str) -> Self:
        """Reads a JWK set of Ed25519 private keys (RFC 7517, RFC 8037), each with its `kid`."""
        keys = tuple(_parse(jwk) for jwk in json.loads(jwk_set)["keys"])
        if not keys:
            raise ValueError("HORT_SIGNING_KEYS holds no key")
        return cls(keys)

    def sign(self, claims: dict[str, Any], typ: str) -> str:
        key = self.keys[0]
        return jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.kid, "typ": typ})

    def verifier(self, kid: object) -> Ed25519PublicKey | None:
        return next((key.public for key in self.keys if key.kid == kid), None)

    def public_jwks(self) -> list[dict[str, str]]:
        return [key.public_jwk() for key in self.keys]


def new_jwk_set(kid: str) -> str:
    """A JWK set with one fresh private key, as `HORT_SIGNING_KEYS` wants it. Secret."""
    return json.dumps({"keys": [_fresh(kid)]})


def announced(jwk_set: str, kid: str) -> str:
    """With a fresh key at the end: published, so that whoever checks tokens knows it before it signs the first."""
    keys = json.loads(jwk_set)["keys"]
    if any(key["kid"] == kid for key in keys):
        raise ValueError(f"there is a key {kid!r} already")
    return json.dumps({"keys": [*keys, _fresh(kid)]})


def promoted(jwk_set: str) -> str:
    """The last key signs from now on; those before it go on checking what they signed."""
    *rest, newest = json.loads(jwk_set)["keys"]
    return json.dumps({"keys": [newest, *rest]})


def retired(jwk_set: str) -> str:
    """Only the key that signs is left: wait until the last token of the others has run out."""
    return json.dumps({"keys": json.loads(jwk_set)["keys"][:1]})


def _fresh(kid: str) -> dict[str, Any]:
    return {**OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True), "kid": kid}


def _parse(jwk: dict[str, Any]) -> SigningKey:
    key = OKPAlgorithm.from_jwk(jwk)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"HORT_SIGNING_KEYS: key {jwk.get('kid')!r} is not an Ed25519 private key")
    return SigningKey(jwk["kid"], key)
