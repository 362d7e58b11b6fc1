"""What a grant lets its holder do, asked of the storage itself: an upload grant creates, a restore grant reads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from azure.storage.blob import BlobServiceClient

from shared.domain.grants import PERMISSIONS, Purpose
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account
from shared.services import Services
from shared.storage.sas import AccountKeySigner, SignedGrant

HOUR = timedelta(hours=1)
HTTP = urllib3.PoolManager(retries=False)
CREATED, OK, FORBIDDEN = 201, 200, 403


@dataclass(frozen=True, slots=True)
class Container:
    """One container as the holder of a SAS sees it."""

    url: str

    def ask(self, method: str, name: str = "", query: str = "", body: bytes | None = None, **headers: str) -> int:
        parts = urlsplit(self.url)
        path = f"{parts.path}/{name}" if name else parts.path
        target = f"{parts.scheme}://{parts.netloc}{path}?{parts.query}{query}"
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return HTTP.request(method, target, body=body, headers={"x-ms-version": "2024-11-04", **fields}).status

    def put(self, name: str, body: bytes = b"sealed") -> int:
        return self.ask("PUT", name, body=body, x_ms_blob_type="BlockBlob")


def whole(services: Services, account: AccountId, generation: int = 0) -> Account:
    return Account(account, services.new(CustomerId), "files", services.now(), generation)


def grant(services: Services, account: AccountId, purpose: Purpose, generation: int = 0) -> SignedGrant:
    return services.signer.grant(whole(services, account, generation), purpose, services.now() + HOUR)


@pytest.fixture
def account(services: Services) -> AccountId:
    """Two containers with one blob each, `there`."""
    account = services.new(AccountId)
    services.vault_blobs.create_containers(account)
    services.signer.enforce(whole(services, account), services.now())
    urls = grant(services, account, Purpose.UPLOAD)
    assert [Container(url).put("there") for url in (urls.packs_url, urls.meta_url)] == [CREATED, CREATED]
    return account


type Act = Callable[[Container], int]
CHANGES: dict[str, Act] = {
    "overwrite": lambda c: c.put("there", b"forged"),
    "overwrite if there": lambda c: c.ask("PUT", "there", body=b"x", x_ms_blob_type="BlockBlob", If_Match="*"),
    "delete": lambda c: c.ask("DELETE", "there"),
    "put block": lambda c: c.ask("PUT", "new", "&comp=block&blockid=AAAA", b"part"),
    "put block list": lambda c: c.ask("PUT", "there", "&comp=blocklist", b"<BlockList></BlockList>"),
    "set metadata": lambda c: c.ask("PUT", "there", "&comp=metadata", x_ms_meta_a="b"),
    "set properties": lambda c: c.ask("PUT", "there", "&comp=properties", x_ms_blob_content_type="text/html"),
    "set tier": lambda c: c.ask("PUT", "there", "&comp=tier", x_ms_access_tier="Archive"),
    "list": lambda c: c.ask("GET", query="&restype=container&comp=list"),
    "delete container": lambda c: c.ask("DELETE", query="&restype=container"),
    "read container": lambda c: c.ask("GET", query="&restype=container"),
    "set policy": lambda c: c.ask("PUT", query="&restype=container&comp=acl", body=b""),
}
CREATE: Act = lambda c: c.put("new")  # noqa: E731 -- a row of the same kind as those above
READ: Act = lambda c: c.ask("GET", "there")  # noqa: E731


def containers(services: Services, account: AccountId, purpose: Purpose) -> dict[str, Container]:
    urls = grant(services, account, purpose)
    return {"packs": Container(urls.packs_url), "meta": Container(urls.meta_url)}


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("kind", ["packs", "meta"])
def test_a_grant_allows_what_its_purpose_says_and_nothing_else(
    services: Services, account: AccountId, purpose: Purpose, kind: str
) -> None:
    container = containers(services, account, purpose)[kind]
    letters = getattr(PERMISSIONS[purpose], kind)
    assert container.ask("GET", "there") == (OK if "r" in letters else FORBIDDEN)
    answers = {name: act(container) for name, act in CHANGES.items()}
    assert answers == dict.fromkeys(CHANGES, FORBIDDEN)
    assert container.put("new") == (CREATED if "c" in letters else FORBIDDEN)
    reader = containers(services, account, Purpose.RESTORE)[kind]
    assert HTTP.request("GET", _blob(reader, "there")).data == b"sealed", "what was there is as it was"


def _blob(container: Container, name: str) -> str:
    parts = urlsplit(container.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}/{name}?{parts.query}"


def test_an_upload_grant_never_reads_packs_and_a_restore_grant_never_creates() -> None:
    assert PERMISSIONS == {Purpose.UPLOAD: ("c", "rc"), Purpose.RESTORE: ("r", "r")}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_grant_never_leaves_its_container(services: Services, account: AccountId, purpose: Purpose) -> None:
    """The signature of one container is of no use in the account's other one, nor in another account's."""
    mine = containers(services, account, purpose)
    other = services.new(AccountId)
    services.vault_blobs.create_containers(other)
    services.signer.enforce(whole(services, other), services.now())
    for kind, container in mine.items():
        foreign = [f"d-{account}", f"m-{account}", f"d-{other}", f"m-{other}", "hort-gc", "$logs"]
        foreign.remove(f"{kind[0].replace('p', 'd')}-{account}")
        for name in foreign:
            moved = Container(container.url.replace(urlsplit(container.url).path.rsplit("/", 1)[1], name))
            assert [CREATE(moved), READ(moved)] == [FORBIDDEN, FORBIDDEN]


@pytest.mark.parametrize("purpose", Purpose)
def test_a_grant_dies_at_once_when_it_is_withdrawn_and_does_not_come_back(
    services: Services, account: AccountId, purpose: Purpose
) -> None:
    before = containers(services, account, purpose)
    shut = replace(whole(services, account), locked_at=services.now())
    assert services.signer.enforce(shut, services.now()) == services.now()
    assert {READ(c) for c in before.values()} == {CREATE(c) for c in before.values()} == {FORBIDDEN}
    services.signer.enforce(whole(services, account, 1), services.now())
    assert {READ(c) for c in before.values()} == {CREATE(c) for c in before.values()} == {FORBIDDEN}
    reading = grant(services, account, Purpose.RESTORE, generation=1)
    assert {READ(Container(url)) for url in (reading.packs_url, reading.meta_url)} == {OK}


def test_a_grant_is_for_https_except_on_this_machine(services: Services, account: AccountId) -> None:
    assert "spr" not in parse_qs(urlsplit(grant(services, account, Purpose.UPLOAD).packs_url).query)
    away = BlobServiceClient(
        "https://example.blob.core.windows.net", credential={"account_name": "e", "account_key": "AAAA"}
    )
    signed = AccountKeySigner(away, "AAAA").grant(whole(services, account), Purpose.UPLOAD, services.now())
    for url in (signed.packs_url, signed.meta_url):
        assert parse_qs(urlsplit(url).query)["spr"] == ["https"]


@pytest.mark.parametrize(("field", "forged"), [("si", "upload-0"), ("se", "2099-01-01T00%3A00%3A00Z"), ("sr", "b")])
def test_a_forged_grant_is_refused(services: Services, account: AccountId, field: str, forged: str) -> None:
    for container in containers(services, account, Purpose.RESTORE).values():
        query = urlsplit(container.url).query
        pairs = [p if not p.startswith(f"{field}=") else f"{field}={forged}" for p in query.split("&")]
        assert "&".join(pairs) != query
        assert READ(Container(container.url.replace(query, "&".join(pairs)))) == FORBIDDEN


def test_a_grant_says_until_when(services: Services, account: AccountId) -> None:
    signed = grant(services, account, Purpose.UPLOAD)
    assert signed.expires_at == services.now() + HOUR
    for url in (signed.packs_url, signed.meta_url):
        assert parse_qs(urlsplit(url).query)["se"] == [signed.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")]
