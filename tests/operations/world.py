"""A customer with an account and devices that upload what they like: the agent's side, played without an agent."""

# pyright: reportUnknownMemberType=false
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.domain.commits import Snapshot, Statistics, VaultState
from shared.domain.errors import HortError
from shared.domain.ids import AccountId, CustomerId, DeviceId, IndexName, PackName, SessionId
from shared.domain.sessions import BackupSession, SessionState
from shared.domain.sweep import condemned, doomed
from shared.domain.tenancy import Account, DeviceCaller
from shared.format import names
from shared.format.refs import IndexRef, PackRef, Refs, encode
from shared.operations import commits, customers, devices, sessions
from shared.operations.commits import CommitOrder
from shared.services import Services
from shared.storage.tables import Replace, Stored, transact
from shared.storage.vaults import STATES
from tests.certificates import csr

STATISTICS = Statistics(files=3, logical_bytes=1000, seconds=1.5)
HEAD, INDEX = b"sealed head", b"sealed index"


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device and its key."""

    caller: DeviceCaller
    key: Ed25519PrivateKey


@dataclass(slots=True)
class World:
    """One account of one customer, and the hands of everybody who works on it."""

    services: Services
    account: Account
    device: Device

    @property
    def caller(self) -> DeviceCaller:
        return self.device.caller

    @property
    def id(self) -> AccountId:
        return self.account.id

    def open(self, device: Device | None = None) -> SessionId:
        session = self.services.new(SessionId)
        sessions.open_session(self.services, (device or self.device).caller, session)
        return session

    def put(self, container: str, name: str, body: bytes) -> None:
        self.services.vault_blobs.client.get_blob_client(container, name).upload_blob(body, overwrite=True)

    def upload_pack(self, session: SessionId, body: bytes | None = None) -> PackRef:
        body = secrets.token_bytes(64) if body is None else body
        pack = PackName(session, hashlib.sha256(body).hexdigest())
        self.put(names.packs_container(self.id), str(pack), body)
        return PackRef(pack, len(body))

    def delete_pack(self, pack: PackName) -> None:
        self.services.vault_blobs.client.get_blob_client(names.packs_container(self.id), str(pack)).delete_blob()

    def upload_meta(self, session: SessionId) -> IndexRef:
        """A head and one index segment."""
        index = IndexName(session, 0)
        self.put(names.meta_container(self.id), str(index), INDEX)
        self.put(names.meta_container(self.id), names.head(session), HEAD)
        return IndexRef(index, len(INDEX))

    def refs(self, session: SessionId, packs: Iterable[PackRef], indexes: Iterable[IndexRef] = ()) -> Refs:
        return Refs(
            account=self.id,
            session=session,
            device=self.caller.id,
            head_sha256=hashlib.sha256(HEAD).hexdigest(),
            head_size_bytes=len(HEAD),
            indexes=tuple(sorted(indexes)),
            packs=tuple(sorted(packs)),
        )

    def order(self, session: SessionId, refs: Refs, device: Device | None = None) -> CommitOrder:
        """Uploads the refs, signed, and asks for their commit."""
        body = encode(refs, (device or self.device).key.sign)
        self.put(names.meta_container(self.id), names.refs(session), body)
        return CommitOrder(session, hashlib.sha256(body).hexdigest(), STATISTICS)

    def ready(self, packs: Iterable[PackRef] = (), own: int = 1) -> CommitOrder:
        """A session that has uploaded all it needs: `own` packs of its own, and these of others."""
        session = self.open()
        mine = [self.upload_pack(session) for _ in range(own)]
        return self.order(session, self.refs(session, [*mine, *packs], [self.upload_meta(session)]))

    def commit(self, order: CommitOrder) -> Snapshot:
        return commits.commit(self.services, self.caller, order)

    def backed_up(self, packs: int = 2) -> tuple[Snapshot, list[PackRef]]:
        """A committed snapshot of its own packs."""
        session = self.open()
        mine = [self.upload_pack(session) for _ in range(packs)]
        refs = self.refs(session, mine, [self.upload_meta(session)])
        return self.commit(self.order(session, refs)), mine

    def state(self) -> Stored[VaultState]:
        return sessions.vault_state(self.services, self.id)

    def session(self, session: SessionId) -> BackupSession:
        stored = self.services.vaults.session(self.id, session)
        assert stored is not None
        return stored.value

    def condemn(self, packs: Iterable[PackName]) -> None:
        """What a sweep's mark writes."""
        condemn = dict.fromkeys(packs, 64)
        name = self.services.pack_sets.write(self.id, condemn)
        self.write_state(lambda state: condemned(state, name, len(condemn), self.services.now()))

    def delete(self, packs: Iterable[PackName]) -> None:
        """What a sweep writes before it deletes."""
        packs = dict.fromkeys(packs, 64)
        name = self.services.pack_sets.write(self.id, packs)
        self.write_state(lambda state: doomed(state, (), name, len(packs), self.services.now()))

    def touch(self) -> None:
        self.write_state(lambda state: state)

    def write_state(self, change: Callable[[VaultState], VaultState]) -> None:
        state = self.state()
        transact(self.services.vaults.client, [Replace(STATES.to_entity(change(state.value)), state.etag)])

    def condemned(self) -> frozenset[PackName]:
        batches = self.state().value.condemned
        return frozenset(self.services.pack_sets.read_all(self.id, (batch.packs for batch in batches)))

    def add_device(self) -> Device:
        return register(self.services, self.account)


def register(services: Services, account: Account) -> Device:
    key = Ed25519PrivateKey.generate()
    order = devices.RegisterDevice(services.new(DeviceId), account, "laptop", "linux", csr(key))
    made = devices.register(services, order)
    return Device(DeviceCaller(made.id, account.id, account.customer), key)


def make(services: Services) -> World:
    """A fresh customer, account and device."""
    customer = customers.create_customer(services, services.new(CustomerId), "Muster GmbH")
    account = customers.create_account(services, services.new(AccountId), customer.id, "files")
    return World(services, account, register(services, account))


def refused_as_it_was(world: World, order: CommitOrder, fault: type[HortError], match: str) -> HortError:
    """The commit is refused, the session stays open, and no snapshot is there."""
    with pytest.raises(fault, match=match) as refused:
        world.commit(order)
    assert world.session(order.session).state is SessionState.OPEN
    assert world.services.vaults.snapshot(world.id, order.session) is None
    return refused.value
