"""What the service is made of, each thing built once and when it is first needed."""

import secrets
from datetime import datetime
from functools import cached_property

# pyright: reportUnknownMemberType=false
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient, LinearRetry

from shared.domain.ids import ENTROPY_BYTES, Id
from shared.identity.keyring import KeyRing
from shared.settings import Settings
from shared.storage import audit, packsets, records, tenants, users, vaults
from shared.storage.audit import AuditLog
from shared.storage.blobs import VaultBlobs
from shared.storage.mapping import Mapper
from shared.storage.packsets import PackSets
from shared.storage.sas import Signer
from shared.storage.tables import Table
from shared.storage.vaults import Vaults

TABLES = frozenset(
    mapper.table
    for mapper in (
        *(tenants.CUSTOMERS, tenants.ACCOUNTS, tenants.DEVICES, tenants.SLOTS, users.USERS, users.LOGINS),
        *(vaults.STATES, audit.HEADS, records.RESTORES, records.SEEDINGS, records.RESERVATIONS, records.ASSERTIONS),
    )
)


class Services:
    """Clients and the edges of the world: storage, keys, the clock, randomness."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def now(self) -> datetime:
        return self.settings.clock()

    def new[I: Id](self, kind: type[I]) -> I:
        return kind.make(self.now(), secrets.token_bytes(ENTROPY_BYTES))

    @cached_property
    def keyring(self) -> KeyRing:
        return KeyRing.parse(self.settings.signing_keys.get_secret_value())

    @cached_property
    def customers(self):
        return self._table(tenants.CUSTOMERS)

    @cached_property
    def accounts(self):
        return self._table(tenants.ACCOUNTS)

    @cached_property
    def devices(self):
        return self._table(tenants.DEVICES)

    @cached_property
    def slots(self):
        return self._table(tenants.SLOTS)

    @cached_property
    def users(self):
        return self._table(users.USERS)

    @cached_property
    def logins(self):
        return self._table(users.LOGINS)

    @cached_property
    def restores(self):
        return self._table(records.RESTORES)

    @cached_property
    def seedings(self):
        return self._table(records.SEEDINGS)

    @cached_property
    def reservations(self):
        return self._table(records.RESERVATIONS)

    @cached_property
    def assertions(self):
        return self._table(records.ASSERTIONS)

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self._tables.get_table_client(audit.TABLE))

    @cached_property
    def vaults(self) -> Vaults:
        return Vaults(self._tables.get_table_client(vaults.TABLE))

    @cached_property
    def vault_blobs(self) -> VaultBlobs:
        return VaultBlobs(self._blobs)

    @cached_property
    def pack_sets(self) -> PackSets:
        return PackSets(self._blobs.get_container_client(packsets.CONTAINER))

    @cached_property
    def signer(self) -> Signer:
        return Signer(self._blobs, self._blobs.credential.account_key)

    def create_storage(self) -> None:
        """Create every table and container that is missing; safe to repeat."""
        for table in TABLES:
            self._tables.create_table_if_not_exists(table)
        if not self.pack_sets.container.exists():
            self.pack_sets.container.create_container()

    def _table[T](self, mapper: Mapper[T]) -> Table[T]:
        return Table(self._tables.get_table_client(mapper.table), mapper)

    @cached_property
    def _tables(self) -> TableServiceClient:
        return TableServiceClient.from_connection_string(self.settings.storage.get_secret_value())

    @cached_property
    def _blobs(self) -> BlobServiceClient:
        # The SDK's own pauses are 15 s and more: whoever waits for us would have given up.
        retry = LinearRetry(backoff=1, retry_total=3, random_jitter_range=1)
        storage = self.settings.storage.get_secret_value()
        return BlobServiceClient.from_connection_string(storage, retry_policy=retry)
