"""The service's HTTP API as typed calls, for one caller."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from pydantic import BaseModel

from agent.credentials import Credential
from agent.replies import parse, refusal
from agent.tokens import Tokens, make_nonce
from agent.transport import Answer, Call, Transport
from shared.api.backups import (
    CommitSession,
    Hold,
    OpenRestore,
    OpenSession,
    RenewSession,
    Restore,
    Seeding,
    Session,
    SessionOpened,
    Snapshot,
    UploadedPack,
)
from shared.api.base import Page
from shared.api.drills import Drill, ReportDrill
from shared.api.identity import ChangePassword, User
from shared.api.retention import Explanation, PlaceHold, PutRetention, Retention, Simulate, Simulation
from shared.api.tenancy import (
    Account,
    Device,
    Enrol,
    KitTested,
    Protection,
    PutSlot,
    RegisterDevice,
    RenewCertificate,
    Slot,
    Slots,
)
from shared.domain.ids import AccountId, CustomerId, DeviceId, HoldId, RestoreId, SessionId
from shared.format.names import PackName

API = "/api/v1"


class Service:
    """`base` is the service's URL without a path. Safe for threads. Every call raises `Unreachable` or `Refused`."""

    def __init__(
        self, base: str, credential: Credential, transport: Transport, nonce: Callable[[], str] = make_nonce
    ) -> None:
        self._api = base.rstrip("/") + API
        self._transport = transport
        self._nonce = nonce
        self._tokens = Tokens(f"{self._api}/token", credential, transport, nonce)

    def sign_in(self) -> None:
        """Raises `NotAuthorised`."""
        self._tokens.valid()

    def change_password(self, order: ChangePassword) -> User:
        return self._create("/password", order, User, self._nonce())

    def accounts(self) -> list[Account]:
        return list(self._pages("/accounts", Account))

    def register_device(self, account: AccountId, device: RegisterDevice, key: str) -> Device:
        """`key` is the idempotency key: one that outlives this process keeps a crash from registering twice."""
        return self._create(f"/accounts/{account}/devices", device, Device, key)

    def renew_certificate(self, account: AccountId, device: DeviceId, csr: str, key: str) -> Device:
        """`key` as with `register_device`. Raises `Refused` with `not-due` when it is too early."""
        body = RenewCertificate(csr=csr)
        return self._create(f"/accounts/{account}/devices/{device}/certificates", body, Device, key)

    def device(self, account: AccountId, device: DeviceId) -> Device:
        return self._get(f"/accounts/{account}/devices/{device}", Device)

    def slots(self, account: AccountId) -> list[Slot]:
        return self._get(f"/accounts/{account}/slots", Slots).slots

    def create_slot(self, account: AccountId, name: str, slot: PutSlot) -> Slot:
        """Raises `Refused` with `precondition-failed` when there is such a slot."""
        answer = self._call("PUT", f"/accounts/{account}/slots/{name}", slot, {"If-None-Match": "*"})
        return parse(answer, Slot, self._api)

    def replace_slot(self, account: AccountId, name: str, slot: PutSlot, etag: str) -> Slot:
        """Raises `Refused` with `precondition-failed` when the slot is not the one of this ETag any more."""
        answer = self._call("PUT", f"/accounts/{account}/slots/{name}", slot, {"If-Match": etag})
        return parse(answer, Slot, self._api)

    def test_kit(self, account: AccountId, device: DeviceId, recovery_etag: str) -> Protection:
        """Tells that a kit has opened the slot of this ETag. Raises `Refused` with `precondition-failed`."""
        body = KitTested(recovery_etag=recovery_etag)
        return self._create(f"/accounts/{account}/devices/{device}/kit-test", body, Protection, self._nonce())

    def open_session(self, account: AccountId) -> SessionOpened:
        return self._create(f"/accounts/{account}/sessions", OpenSession(), SessionOpened, self._nonce())

    def renew_session(self, account: AccountId, session: SessionId, progress: RenewSession) -> SessionOpened:
        """Raises `Refused` with `session-closed` when it is not open any more."""
        return self._create(f"/accounts/{account}/sessions/{session}/renew", progress, SessionOpened, self._nonce())

    def session(self, account: AccountId, session: SessionId) -> Session:
        return self._get(f"/accounts/{account}/sessions/{session}", Session)

    def uploaded_packs(self, account: AccountId, session: SessionId) -> Iterator[UploadedPack]:
        return self._pages(f"/accounts/{account}/sessions/{session}/packs", UploadedPack)

    def uploaded_pack(self, account: AccountId, pack: PackName) -> UploadedPack:
        return self._get(f"/accounts/{account}/sessions/{pack.session}/packs/{pack.pack_id}", UploadedPack)

    def commit_session(self, account: AccountId, session: SessionId, order: CommitSession) -> Snapshot:
        """Raises `Refused` with `packs-missing` and the packs, or with `session-closed`."""
        return self._create(f"/accounts/{account}/sessions/{session}/commit", order, Snapshot, self._nonce())

    def abandon_session(self, account: AccountId, session: SessionId) -> Session:
        answer = self._post(f"/accounts/{account}/sessions/{session}/abandon", None, self._nonce())
        return parse(answer, Session, self._api)

    def snapshots(self, account: AccountId) -> Iterator[Snapshot]:
        return self._pages(f"/accounts/{account}/snapshots", Snapshot)

    def snapshot(self, account: AccountId, snapshot: SessionId) -> Snapshot:
        return self._get(f"/accounts/{account}/snapshots/{snapshot}", Snapshot)

    def mark_snapshot(self, account: AccountId, snapshot: SessionId, mark: str) -> Snapshot:
        """`mark` is `pin`, `unpin` or `take-back`. Raises `Refused` with `snapshot-expired`."""
        answer = self._post(f"/accounts/{account}/snapshots/{snapshot}/{mark}", None, self._nonce())
        return parse(answer, Snapshot, self._api)

    def place_hold(self, customer: CustomerId, account: AccountId, snapshot: SessionId, order: PlaceHold) -> Hold:
        path = f"/customers/{customer}/accounts/{account}/snapshots/{snapshot}/holds"
        return self._create(path, order, Hold, self._nonce())

    def release_hold(self, customer: CustomerId, account: AccountId, snapshot: SessionId, hold: HoldId) -> Snapshot:
        path = f"/customers/{customer}/accounts/{account}/snapshots/{snapshot}/holds/{hold}"
        return parse(self._call("DELETE", path, None, {}), Snapshot, self._api)

    def retention(self, account: AccountId) -> Retention:
        return self._get(f"/accounts/{account}/retention", Retention)

    def put_retention(self, account: AccountId, order: PutRetention, etag: str) -> Retention:
        """Raises `Refused` with `confirmation-needed`, or with `precondition-failed` when another is in force."""
        answer = self._call("PUT", f"/accounts/{account}/retention", order, {"If-Match": etag})
        return parse(answer, Retention, self._api)

    def call_off_shortening(self, account: AccountId) -> Retention:
        return parse(self._call("DELETE", f"/accounts/{account}/retention/pending", None, {}), Retention, self._api)

    def simulate_retention(self, account: AccountId, order: Simulate) -> Simulation:
        return self._create(f"/accounts/{account}/retention/simulate", order, Simulation, self._nonce())

    def explain_snapshot(self, account: AccountId, snapshot: SessionId) -> Explanation:
        return self._get(f"/accounts/{account}/snapshots/{snapshot}/retention", Explanation)

    def open_restore(self, account: AccountId, order: OpenRestore) -> Restore:
        return self._create(f"/accounts/{account}/restores", order, Restore, self._nonce())

    def reopen_restore(self, account: AccountId, restore: RestoreId) -> Restore:
        """The same leave, for longer."""
        return self._get(f"/accounts/{account}/restores/{restore}", Restore)

    def report_drill(self, account: AccountId, drill: ReportDrill) -> Drill:
        return self._create(f"/accounts/{account}/drills", drill, Drill, self._nonce())

    def seeding(self, account: AccountId, device: DeviceId) -> Seeding:
        return self._get(f"/accounts/{account}/devices/{device}/seeding", Seeding)

    def _pages[T: BaseModel](self, path: str, item: type[T]) -> Iterator[T]:
        after: str | None = None
        while True:
            page = self._get(path if after is None else f"{path}?after={quote(after, safe='')}", Page[item])
            yield from page.items
            after = page.next
            if after is None:
                return

    def _get[T: BaseModel](self, path: str, reply: type[T]) -> T:
        return parse(self._call("GET", path, None, {}), reply, self._api)

    def _create[T: BaseModel](self, path: str, body: BaseModel, reply: type[T], key: str) -> T:
        return parse(self._post(path, body, key), reply, self._api)

    def _post(self, path: str, body: BaseModel | None, key: str) -> Answer:
        return self._call("POST", path, body, {"Idempotency-Key": key})

    def _call(self, method: str, path: str, body: BaseModel | None, headers: Mapping[str, str]) -> Answer:
        content = () if body is None else (body.model_dump_json().encode(),)
        kind = {"Content-Type": "application/json"} if content else {}

        def ask(token: str) -> Answer:
            known = {**kind, **headers, "Authorization": f"Bearer {token}", "Accept": "application/json"}
            return self._transport.send(Call(method, self._api + path, known, content))

        token = self._tokens.valid()
        answer = ask(token)
        if answer.status == 401:
            answer = ask(self._tokens.valid(refused=token))
        if answer.status >= 300:
            raise refusal(answer, self._api)
        return answer


def enrol(base: str, order: Enrol, transport: Transport) -> Device:
    """A device comes in with a code, without a token. Asking again with the same key answers the same."""
    url = base.rstrip("/") + API
    body = (order.model_dump_json().encode(),)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = transport.send(Call("POST", f"{url}/enrolments", headers, body))
    if answer.status >= 300:
        raise refusal(answer, url)
    return parse(answer, Device, url)
