"""Storage is away for a moment: the service says so, tells nothing of its inside, and goes on when it is back."""

import contextlib
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from localhost.azurite import Azurite
from shared.identity.keyring import new_jwk_set
from shared.settings import Settings
from tests.certificates import CA
from tests.quick.stack import QuickStack
from tests.service.client import Answer
from tests.service.door import Door
from tests.service.people import Service
from tests.service.places import Place, settle
from tests.service.together import at_once
from tests.service.vault import begin


@dataclass(frozen=True, slots=True)
class Storeroom:
    """A service whose tables and blobs lie behind a door each, with one account in it."""

    service: Service
    place: Place
    doors: Mapping[str, Door]

    @contextlib.contextmanager
    def without(self, *names: str) -> Generator[None]:
        for name in names:
            self.doors[name].shut()
        try:
            yield
        finally:
            for name in names:
                self.doors[name].open()


@pytest.fixture(scope="module")
def storeroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storeroom]:
    state = tmp_path_factory.mktemp("storeroom")
    with contextlib.ExitStack() as stack:
        azurite = stack.enter_context(Azurite.start(state))
        inside = {"tables": azurite.endpoints.table, "blobs": azurite.endpoints.blob}
        doors = {name: stack.enter_context(Door.before(port)) for name, port in inside.items()}
        storage = azurite.connection_string
        for name, door in doors.items():
            storage = storage.replace(f":{inside[name]}/", f":{door.port}/")
        service = stack.enter_context(running(state, storage))
        customer = service.customer()
        yield Storeroom(service, settle(service, customer, customer.user().log_in()), doors)


@contextlib.contextmanager
def running(state: Path, storage: str) -> Generator[Service]:
    url = f"http://127.0.0.1:{free_port()}"
    keys = SecretStr(new_jwk_set("local"))
    told = Settings(
        public_url=url, storage=SecretStr(storage), signing_keys=keys, ca=SecretStr(CA), key_dir=state / "keys"
    )
    stack = QuickStack(state, url, told, False)
    stack.services.create_storage()
    stack.start_host()
    try:
        yield Service(stack)
    finally:
        stack.stop_host()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def refused_for_now(answer: Answer) -> None:
    """503, with a time to come again and nothing of what went on inside."""
    problem = answer.refused(503, "storage-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    for word in ("Traceback", "azure", "Azure", "127.0.0.1:1", "Connection", "devstoreaccount", "sig="):
        assert word not in problem["detail"] + problem["title"]


def test_without_storage_the_service_says_so_and_is_well_again_after(storeroom: Storeroom) -> None:
    """All at once: each answer takes as long as the SDK's retries."""
    place, mine = storeroom.place, f"/accounts/{storeroom.place.account}"
    before = place.seen()
    requests: list[Callable[[], Answer]] = [
        lambda: place.admin.get("/accounts"),
        lambda: place.admin.get(f"{mine}/devices"),
        lambda: place.admin.post(f"{mine}/restores", {}),
        lambda: place.admin.put(f"{mine}/slots/recovery", {"sealed": "AAAA"}, {"If-None-Match": "*"}),
        lambda: place.client.post(f"{mine}/sessions", {}),
        lambda: place.client.post(f"{place.open.path}/commit", {"refs_sha256": "0" * 64}),
        lambda: place.client.post(f"{place.open.path}/abandon"),
        lambda: storeroom.service.nobody.ask_token(grant_type="password", username="abc", password="abc"),
    ]
    with storeroom.without("tables", "blobs"):
        answers = at_once(requests)
    for answer in answers:
        refused_for_now(answer)
    assert place.seen() == before
    place.client.post(f"{mine}/sessions", {}).made()


def test_what_needs_no_storage_is_answered_meanwhile(storeroom: Storeroom) -> None:
    with storeroom.without("tables", "blobs"):
        storeroom.service.nobody.get("/jwks").made(200)
        storeroom.service.nobody.get("/accounts").refused(401, "not-authenticated")


def test_a_hiccup_of_storage_is_not_noticed(storeroom: Storeroom) -> None:
    with storeroom.without("tables", "blobs"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: storeroom.place.admin.get("/accounts"))
        time.sleep(0.3)
        for door in storeroom.doors.values():
            door.open()
        waiting.result().made(200)


def test_without_blobs_no_commit_is_half_done(storeroom: Storeroom) -> None:
    backup = begin(storeroom.place.device, storeroom.place.client)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack")])
    with storeroom.without("blobs"):
        refused_for_now(backup.commit(refs_sha256))
    assert backup.client.get(backup.path).made(200)["state"] == "open"
    backup.commit(refs_sha256).made(200)


def test_the_log_of_an_outage_holds_no_secrets(storeroom: Storeroom) -> None:
    with storeroom.without("tables"):
        refused_for_now(storeroom.place.admin.get("/accounts"))
    log = storeroom.service.log()
    assert "storage: Service" in log
    assert not storeroom.service.secrets.leaked_into(log)
    assert "Traceback" not in log
