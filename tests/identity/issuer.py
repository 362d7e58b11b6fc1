"""An issuer of tokens on this machine, as Entra ID is one: signs with RSA keys and publishes them."""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "api://hort"
OID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"


@cache
def made_once(_issuer: str, _kid: str) -> RSAPrivateKey:
    """For all tests: making one is slow."""
    return generate_private_key(65537, 2048)


@dataclass
class Issuer:
    name: str
    url: str = ""
    keys: dict[str, RSAPrivateKey] = field(default_factory=dict[str, RSAPrivateKey])
    published: set[str] = field(default_factory=set[str])
    asked: int = 0
    """How often somebody fetched the keys."""
    away: bool = False

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/keys"

    def add_key(self, kid: str) -> None:
        self.keys[kid] = made_once(self.name, kid)
        self.published.add(kid)

    def document(self) -> bytes:
        keys = [{**self._public(kid), "kid": kid, "use": "sig"} for kid in sorted(self.published)]
        return json.dumps({"keys": keys}).encode()

    def claims(self, now: datetime) -> dict[str, Any]:
        """Those of a good token for an operator."""
        at = int(now.timestamp())
        who = {"sub": "pairwise-subject", "oid": OID, "roles": ["Hort.Operator"]}
        return {"iss": self.url, "aud": AUDIENCE, "iat": at, "nbf": at, "exp": at + 3600, **who}

    def sign(self, claims: Mapping[str, Any], kid: str = "one", alg: str = "RS256") -> str:
        return jwt.encode(dict(claims), self.keys[kid], alg, headers={"kid": kid})

    def _public(self, kid: str) -> dict[str, Any]:
        return RSAAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True)


@contextmanager
def running(name: str) -> Generator[Issuer]:
    issuer = Issuer(name)
    issuer.add_key("one")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            self.send_response(503 if issuer.away else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            if not issuer.away:
                self.wfile.write(issuer.document())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
