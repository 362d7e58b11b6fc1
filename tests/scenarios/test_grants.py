"""What the leave to upload, and the leave to read, are good for: the service's SAS on a storage that checks them."""

import base64
import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
import urllib3

from agent.blobs import BlobRefused, Blobs, Put
from agent.cli.device import Device
from agent.cli.remote import key_of, service_of
from agent.config import Environment, Home
from agent.grants import Grants
from agent.patience import Patience
from agent.replies import NotThere
from agent.service import Service
from agent.service_vault import ServiceVault
from agent.transport import Transport
from demo.stack import Stack
from shared.api.backups import Grant, OpenRestore, RenewSession, SessionOpened
from shared.domain.errors import Conflict
from shared.domain.ids import PackName
from tests.scenarios.conftest import Customer, enrol

BODY = b"sealed " * 1000
PACK_ID = hashlib.sha256(BODY).hexdigest()


@dataclass(frozen=True, slots=True)
class Session:
    """An open backup session, seen from below the agent."""

    device: Device
    service: Service
    transport: Transport
    opened: SessionOpened

    @property
    def pack(self) -> PackName:
        return PackName(self.opened.id, PACK_ID)

    def packs(self, grant: Grant) -> Blobs:
        return Blobs(self.transport, Grants(grant, self.renewed), lambda grant: grant.packs_url)

    def renewed(self) -> Grant:
        return self.service.renew_session(self.device.registration.account, self.opened.id, RenewSession()).grant

    def reading(self) -> Grant:
        return self.service.open_restore(self.device.registration.account, OpenRestore()).grant

    def raw(self, method: str, container_url: str, query: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
        """A request that no agent would send, to the pack."""
        url = container_url.replace("?", f"/{self.pack}?") + (f"&{query}" if query else "")
        known = {"x-ms-version": "2021-12-02", "x-ms-blob-type": "BlockBlob", **headers}
        return urllib3.request(method, url, body=BODY if method == "PUT" else None, headers=known)


def loaded(customer: Customer, name: str) -> Device:
    return Device.load(Home.find(Environment(customer.registered(name).home, None)))


@pytest.fixture(scope="module")
def laptop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Device:
    return loaded(enrol(stack, tmp_path_factory.mktemp("customer")), "laptop")


@pytest.fixture
def session(laptop: Device) -> Generator[Session]:
    transport = Transport(Patience())
    service = service_of(laptop, transport)
    yield Session(laptop, service, transport, service.open_session(laptop.registration.account))
    transport.close()


def test_an_upload_grant_creates_and_never_overwrites(session: Session) -> None:
    packs = session.packs(session.opened.grant)
    assert packs.put(str(session.pack), [BODY]) is Put.CREATED
    assert packs.put(str(session.pack), [b"other bytes"]) is Put.PERHAPS_THERE
    overwrite = session.raw("PUT", session.opened.grant.packs_url)
    assert overwrite.status == 403
    assert session.packs(session.reading()).get(str(session.pack)) == BODY


def test_an_upload_grant_reads_no_packs(session: Session) -> None:
    packs = session.packs(session.opened.grant)
    packs.put(str(session.pack), [BODY])
    for attempt in (lambda: packs.get(str(session.pack)), lambda: packs.size_bytes(str(session.pack))):
        with pytest.raises(BlobRefused):
            attempt()


@pytest.mark.parametrize("query", ["", "comp=metadata", "comp=lease&x-ms-lease-action=acquire"])
def test_an_upload_grant_changes_nothing_that_is_there(session: Session, query: str) -> None:
    session.packs(session.opened.grant).put(str(session.pack), [BODY])
    method = "PUT" if query else "DELETE"
    assert session.raw(method, session.opened.grant.packs_url, query).status >= 400
    assert session.packs(session.reading()).get(str(session.pack)) == BODY


def test_an_upload_grant_lists_nothing(session: Session) -> None:
    query = urlencode({"restype": "container", "comp": "list"})
    for url in (session.opened.grant.packs_url, session.opened.grant.meta_url):
        assert urllib3.request("GET", f"{url}&{query}").status == 403


def test_a_restore_grant_writes_nothing(session: Session) -> None:
    assert session.raw("PUT", session.reading().packs_url).status == 403
    with pytest.raises(NotThere):
        session.service.uploaded_pack(session.device.registration.account, session.pack)


def test_bytes_that_changed_on_the_way_are_refused(session: Session) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other bytes").digest()).decode()
    answer = session.raw("PUT", session.opened.grant.packs_url, **{"Content-MD5": wrong})
    assert (answer.status, answer.headers["x-ms-error-code"]) == (400, "Md5Mismatch")


def test_a_grant_that_does_not_hold_is_renewed(session: Session) -> None:
    spoilt = session.opened.grant.packs_url.replace("sig=", "sig=AAAA")
    packs = session.packs(session.opened.grant.model_copy(update={"packs_url": spoilt}))
    assert packs.put(str(session.pack), [BODY]) is Put.CREATED


def test_a_grant_is_good_for_its_own_account_only(session: Session, customer: Customer) -> None:
    foreign = loaded(customer, "foreign laptop").registration.account
    url = session.opened.grant.packs_url.replace(session.device.registration.account, foreign)
    assert session.raw("PUT", url).status == 403
    for attempt in (session.service.open_session, session.service.slots):
        with pytest.raises(NotThere):
            attempt(foreign)


def test_the_same_upload_twice_is_no_error_and_other_bytes_are(session: Session) -> None:
    vault = ServiceVault(session.service, session.transport, key_of(session.device))
    opened = vault.open_session(session.opened.id)
    assert opened.resumed
    for _ in range(2):
        vault.put_pack(session.pack, [BODY])
        vault.put_meta(f"head/{session.opened.id}", b"head")
    assert vault.uploaded_packs(session.opened.id) == {session.pack: len(BODY)}
    with pytest.raises(Conflict):
        vault.put_meta(f"head/{session.opened.id}", b"another head")
    vault.close()
