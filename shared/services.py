"""What the service is made of, each thing built once and when it is first needed."""

import secrets
from datetime import datetime
from functools import cached_property

# pyright: reportUnknownMemberType=false
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient, LinearRetry

from shared.domain.ids import ENTROPY_BYTES, Id
from shared.identity.ca import Authority, key_in_vault
from shared.identity.entra import Entra
from shared.identity.keyring import KeyRing
from shared.identity.passwords import Passwords
from shared.keys.account_keys import AccountKeys
from shared.keys.local import LocalKeys
from shared.keys.vault import VaultKeys, key_client
from shared.settings import Settings
from shared.storage import audit, deletions, enrolment, incidents, packsets, records, slots, tenants, users, vaults
from shared.storage.audit import AuditLog
from shared.storage.blobs import VaultBlobs
from shared.storage.catalogues import Catalogues
from shared.storage.mapping import Mapper
from shared.storage.packsets import PackSets
from shared.storage.sas import AccountKeySigner, DelegationSigner, Signer
from shared.storage.tables import Table
from shared.storage.vaults import Vaults

TABLES = frozenset(
    mapper.table
    for mapper in (
        *(tenants.CUSTOMERS, tenants.ACCOUNTS, tenants.DEVICES, users.USERS, users.LOGINS),
        *(slots.SLOTS, slots.ACCOUNT_KEYS),
        *(users.FAMILIES, users.TALLIES),
        *(enrolment.CODES, enrolment.CODE_NAMES, enrolment.REVOCATIONS, enrolment.CHARGES, incidents.INCIDENTS),
        *(deletions.DELETIONS, deletions.SWEEPS, deletions.INSPECTIONS),
        *(vaults.STATES, audit.HEADS, records.RESTORES, records.SEEDINGS, records.RESERVATIONS, records.ASSERTIONS),
        records.DRILLS,
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
    def passwords(self) -> Passwords:
        return Passwords(at_once=self.settings.password_hashes_at_once)

    @cached_property
    def entra(self) -> Entra | None:
        """Who else vouches for the provider's people; `None`: nobody."""
        told = self.settings
        if told.entra_issuer is None or told.entra_audience is None or told.entra_jwks_url is None:
            return None
        return Entra.at(told.entra_jwks_url, told.entra_issuer, told.entra_audience, told.entra_roles)

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
        return self._table(slots.SLOTS)

    @cached_property
    def key_versions(self):
        return self._table(slots.ACCOUNT_KEYS)

    @cached_property
    def account_keys(self) -> AccountKeys:
        """The provider's keys: `HORT_KEY_VAULT_URL`, or files in `HORT_KEY_DIR`."""
        if self.settings.key_vault_url is not None:
            from azure.identity import DefaultAzureCredential  # slow to load, and only Azure has it

            return VaultKeys(key_client(self.settings.key_vault_url, DefaultAzureCredential()))
        assert self.settings.key_dir is not None, "the settings have seen to it"
        return LocalKeys(self.settings.key_dir)

    @cached_property
    def users(self):
        return self._table(users.USERS)

    @cached_property
    def logins(self):
        return self._table(users.LOGINS)

    @cached_property
    def families(self):
        return self._table(users.FAMILIES)

    @cached_property
    def tallies(self):
        return self._table(users.TALLIES)

    @cached_property
    def codes(self):
        return self._table(enrolment.CODES)

    @cached_property
    def code_names(self):
        return self._table(enrolment.CODE_NAMES)

    @cached_property
    def revocations(self):
        return self._table(enrolment.REVOCATIONS)

    @cached_property
    def charges(self):
        return self._table(enrolment.CHARGES)

    @cached_property
    def incidents(self):
        return self._table(incidents.INCIDENTS)

    @cached_property
    def authority(self) -> Authority:
        """The devices' certificate authority: its key in Key Vault (`HORT_CA_KEY_ID`), or beside it in `HORT_CA`."""
        pem, key_id = self.settings.ca.get_secret_value(), self.settings.ca_key_id
        if key_id is None:
            return Authority.local(pem)
        return Authority.of(pem, key_in_vault(key_id, self._identity))

    @cached_property
    def restores(self):
        return self._table(records.RESTORES)

    @cached_property
    def drills(self):
        return self._table(records.DRILLS)

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
        if self.settings.storage_account is not None:
            return DelegationSigner(self._blobs, self.now)
        return AccountKeySigner(self._blobs, self._blobs.credential.account_key)

    @cached_property
    def catalogues(self) -> Catalogues:
        return Catalogues(self._blobs.get_container_client(packsets.CONTAINER))

    @cached_property
    def deletions(self):
        return self._table(deletions.DELETIONS)

    @cached_property
    def sweeps(self):
        return self._table(deletions.SWEEPS)

    @cached_property
    def inspections(self):
        return self._table(deletions.INSPECTIONS)

    def create_storage(self) -> None:
        """Create every table and container that is missing; safe to repeat."""
        for table in TABLES:
            self._tables.create_table_if_not_exists(table)
        if not self.pack_sets.container.exists():
            self.pack_sets.container.create_container()

    def _table[T](self, mapper: Mapper[T]) -> Table[T]:
        return Table(self._tables.get_table_client(mapper.table), mapper)

    @cached_property
    def _identity(self) -> TokenCredential:
        """Who this process is in Azure."""
        from azure.identity import DefaultAzureCredential  # slow to load, and only Azure has it

        return DefaultAzureCredential()

    @cached_property
    def _tables(self) -> TableServiceClient:
        if self.settings.storage_account is not None:
            url = f"https://{self.settings.storage_account}.table.core.windows.net"
            return TableServiceClient(url, credential=self._identity)
        return TableServiceClient.from_connection_string(self.settings.storage.get_secret_value())

    @cached_property
    def _blobs(self) -> BlobServiceClient:
        # The SDK's own pauses are 15 s and more: whoever waits for us would have given up.
        retry = LinearRetry(backoff=1, retry_total=3, random_jitter_range=1)
        if self.settings.storage_account is not None:
            url = f"https://{self.settings.storage_account}.blob.core.windows.net"
            return BlobServiceClient(url, credential=self._identity, retry_policy=retry)
        storage = self.settings.storage.get_secret_value()
        return BlobServiceClient.from_connection_string(storage, retry_policy=retry)
