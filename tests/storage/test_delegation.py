"""Grants signed with a user delegation key, asked of a storage that knows us by a token and speaks HTTPS only."""

# pyright: reportUnknownMemberType=false
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import trustme
import urllib3
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient

from localhost.azurite import ACCOUNT, Azurite, AzuriteError
from shared.domain.grants import LIFE, Purpose
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account
from shared.storage.blobs import VaultBlobs
from shared.storage.sas import DelegationSigner, SignedGrant
from tests.conftest import Clock

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # waiting for an answer trusts nothing
CREATED, OK, FORBIDDEN = 201, 200, 403
TENANT = "https://sts.windows.net/00000000-0000-0000-0000-000000000001/"


class SecureAzurite(Azurite):
    """With a certificate, so that it takes bearer tokens; it checks issuer, audience and times of them."""

    @override
    def wait_ready(self, timeout_seconds: float = 60) -> None:
        deadline = time.monotonic() + timeout_seconds
        http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False, retries=False)
        while True:
            try:
                http.request("GET", f"https://127.0.0.1:{self.endpoints.blob}/")
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > deadline:
                    raise AzuriteError("the secure Azurite does not answer") from None
                time.sleep(0.05)
            else:
                return


class Identity:
    """A managed identity: a token that is good for an hour. Azurite does not check who signed it."""

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        until = int(time.time()) + 3600
        claims = {
            "iss": TENANT,
            "aud": "https://storage.azure.com",
            "nbf": until - 7200,
            "iat": until - 7200,
            "exp": until,
        }
        return AccessToken(jwt.encode({**claims, "oid": "me", "tid": "us"}, "k" * 32, "HS256"), until)


@dataclass(frozen=True, slots=True)
class Storage:
    client: BlobServiceClient
    http: urllib3.PoolManager

    def ask(self, method: str, container_url: str, name: str = "there") -> int:
        parts = urlsplit(container_url)
        url = f"{parts.scheme}://{parts.netloc}{parts.path}/{name}?{parts.query}"
        headers = {"x-ms-version": "2024-11-04", "x-ms-blob-type": "BlockBlob"}
        return self.http.request(method, url, body=b"sealed" if method == "PUT" else None, headers=headers).status


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    folder = tmp_path_factory.mktemp("secure")
    authority, files = trustme.CA(), [folder / name for name in ("cert.pem", "key.pem", "ca.pem")]
    mine = authority.issue_cert("127.0.0.1")
    mine.cert_chain_pems[0].write_to_path(str(files[0]))
    mine.private_key_pem.write_to_path(str(files[1]))
    authority.cert_pem.write_to_path(str(files[2]))
    options = ("--oauth", "basic", "--cert", str(files[0]), "--key", str(files[1]))
    with SecureAzurite.start(folder, options) as running:
        url = f"https://127.0.0.1:{running.endpoints.blob}/{ACCOUNT}"
        client = BlobServiceClient(url, credential=Identity(), connection_verify=str(files[2]))
        yield Storage(client, urllib3.PoolManager(ssl_context=trusting(files[2]), retries=False))
        client.close()


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


@pytest.fixture
def account(storage: Storage, clock: Clock) -> Account:
    """Its containers hold one blob each, `there`."""
    made = AccountId.make(clock(), clock().isoformat().encode()[-10:])
    VaultBlobs(storage.client).create_containers(made)
    for container in (f"d-{made}", f"m-{made}"):
        storage.client.get_blob_client(container, "there").upload_blob(b"sealed", overwrite=True)
    return Account(made, CustomerId.make(clock(), bytes(10)), "files", clock())


@pytest.fixture
def signer(storage: Storage, clock: Clock) -> DelegationSigner:
    return DelegationSigner(storage.client, clock)


def granted(signer: DelegationSigner, account: Account, purpose: Purpose, life: timedelta = LIFE) -> SignedGrant:
    return signer.grant(account, purpose, signer.clock() + life)


def test_an_upload_grant_creates_and_never_reads_packs(
    storage: Storage, signer: DelegationSigner, account: Account
) -> None:
    upload = granted(signer, account, Purpose.UPLOAD)
    assert storage.ask("PUT", upload.packs_url, "new") == CREATED
    assert storage.ask("PUT", upload.packs_url) == FORBIDDEN, "it overwrites nothing"
    assert storage.ask("GET", upload.packs_url) == FORBIDDEN
    assert storage.ask("DELETE", upload.packs_url) == FORBIDDEN
    assert storage.ask("GET", upload.meta_url) == OK


def test_a_restore_grant_reads_and_never_writes(storage: Storage, signer: DelegationSigner, account: Account) -> None:
    reading = granted(signer, account, Purpose.RESTORE)
    for url in (reading.packs_url, reading.meta_url):
        assert (storage.ask("GET", url), storage.ask("PUT", url, "new")) == (OK, FORBIDDEN)


def test_a_grant_never_leaves_its_container(storage: Storage, signer: DelegationSigner, account: Account) -> None:
    reading = granted(signer, account, Purpose.RESTORE)
    assert storage.ask("GET", reading.packs_url.replace(f"d-{account.id}", f"m-{account.id}")) == FORBIDDEN


@pytest.mark.parametrize("purpose", Purpose)
def test_an_expired_grant_is_refused(
    storage: Storage, signer: DelegationSigner, account: Account, purpose: Purpose
) -> None:
    """Here, for the emulator heeds no grant's own end when it hangs on a stored policy; Azure does."""
    late = granted(signer, account, purpose, timedelta(seconds=-1))
    for url in (late.packs_url, late.meta_url):
        assert (storage.ask("GET", url), storage.ask("PUT", url, "new")) == (FORBIDDEN, FORBIDDEN)


def test_a_grant_is_for_https(signer: DelegationSigner, account: Account) -> None:
    assert parse_qs(urlsplit(granted(signer, account, Purpose.UPLOAD).packs_url).query)["spr"] == ["https"]


def test_a_delegation_key_serves_many_grants_and_outlasts_each(
    storage: Storage, signer: DelegationSigner, account: Account, clock: Clock
) -> None:
    keys: set[str] = set()
    for _ in range(12):
        url = granted(signer, account, Purpose.RESTORE).packs_url
        ends = parse_qs(urlsplit(url).query)
        assert ends["se"][0] <= ends["ske"][0]
        keys.add(ends["ske"][0])
        clock.move(timedelta(hours=1))
    assert 2 <= len(keys) <= 3


def test_what_cannot_be_taken_back_says_when_it_is_dead(
    signer: DelegationSigner, account: Account, clock: Clock
) -> None:
    signed = granted(signer, account, Purpose.UPLOAD)
    assert signer.enforce(account, clock()) >= signed.expires_at
