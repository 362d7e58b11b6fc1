"""A whole night over many accounts, on storage in memory: accounts a second, and what storage would bill.

`python -m bench.nightly`. The operations are those of the workflow, in its order; what Durable Functions itself adds
(a workflow for each account that has something to do, a hundredth of one for each that has nothing) is not in it.
"""

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.memory_storage import MemoryServices
from bench.steps import sweep
from shared.contracts.sweep import AccountKey, SurveyAccounts, SweepAccount
from shared.domain.commits import Snapshot
from shared.domain.ids import ENTROPY_BYTES, AccountId, CustomerId, DeviceId, IndexName, PackName, SessionId
from shared.domain.sessions import SessionState, ended, opened
from shared.domain.tenancy import Account, Device
from shared.format import names
from shared.format.refs import IndexRef, PackRef, Refs, encode
from shared.operations import surveying
from shared.operations.sessions import vault_state

START = datetime(2026, 1, 1, 20, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = 100
ACCOUNTS = 10_000
QUIET_DAYS, BUSY_DAYS = 10, 30
"""Under the default of 14 days: in ten nothing expires yet; after thirty one expires every night, another one's packs
are condemned, and another one's deleted."""
PACKS_A_DAY, PACKS_NEEDED = 3, 15
KEY = Ed25519PrivateKey.generate()

EUR_PER_10_000 = {
    "table read": 0.00036,
    "table write": 0.00036,
    "blob read": 0.0044,
    "blob write": 0.055,
    "blob list": 0.055,
    "blob batch of deletions": 0.0044,
    "blob delete": 0.0,
}
PRICES = (
    "List prices in USD for hot LRS, taken 1:1 as EUR. Blob reads and writes: Azure's price page for US East as told "
    "by api-evangelist/microsoft-azure-blob-storage on GitHub (May 2026). Listing is billed as writing, deleting is "
    "free, a batch is 'other' and billed as reading (learn.microsoft.com, map-rest-apis-transaction-categories). "
    "Tables: from memory of Azure's price page. No source for West Europe was at hand: check before quoting."
)


@dataclass(frozen=True, slots=True)
class Night:
    case: str
    accounts: int
    swept: int
    cpu_seconds: float
    accounts_a_second: float
    """And one CPU."""
    operations: dict[str, float]
    """An account, by kind."""
    operations_an_account: float
    eur_a_month_for_100_000: float
    arithmetic: str
    command: str


@dataclass(slots=True)
class Agent:
    """Leaves in storage what a backup leaves there, a few new packs and the loss of as many old ones."""

    services: MemoryServices
    account: Account
    device: DeviceId
    chance: random.Random
    living: list[PackRef]

    def back_up(self) -> None:
        services, account = self.services, self.account.id
        state = vault_state(services, account)
        fresh = opened(services.new(SessionId), account, self.device, state.value.epoch, services.now())
        new = [PackRef(PackName(fresh.id, self.chance.randbytes(32).hex()), 1 << 20) for _ in range(PACKS_A_DAY)]
        packs = services.blobs.get_container_client(names.packs_container(account))
        packs.sizes |= {str(pack.name): pack.size_bytes for pack in new}
        self.living = (self.living + new)[-PACKS_NEEDED:]
        body = self._upload_meta(fresh.id)
        services.vaults.open(state, fresh)
        state, stored = vault_state(services, account), services.vaults.session(account, fresh.id)
        assert stored is not None
        done = replace(ended(fresh, SessionState.COMMITTED, services.now()), index_segments=1)
        snapshot = Snapshot(
            id=fresh.id,
            account=account,
            device=self.device,
            committed_at=services.now(),
            refs_sha256=hashlib.sha256(body).hexdigest(),
            packs=len(self.living),
            stored_bytes=len(self.living) << 20,
            new_packs=len(new),
            new_stored_bytes=len(new) << 20,
            index_segments=1,
        )
        services.vaults.commit(state, state.value, stored, done, snapshot)

    def _upload_meta(self, session: SessionId) -> bytes:
        meta = self.services.blobs.get_container_client(names.meta_container(self.account.id))
        index = IndexRef(IndexName(session, 0), 5)
        refs = Refs(self.account.id, session, self.device, "0" * 64, 4, (index,), tuple(sorted(self.living)))
        body = encode(refs, KEY.sign)
        meta.blobs |= {names.head(session): b"head", str(index.name): b"index", names.refs(session): body}
        return body


def measure(accounts: int = ACCOUNTS) -> list[Night]:
    return [_quiet(accounts), _busy(accounts)]


def _quiet(accounts: int) -> Night:
    services = MemoryServices(START)
    _lived(services, QUIET_DAYS)
    _multiply(services, accounts)
    services.pass_by(DAY)
    return _measured("nothing changed", services, accounts)


def _busy(accounts: int) -> Night:
    services = MemoryServices(START)
    agent = _lived(services, BUSY_DAYS)
    agent.back_up()
    services.pass_by(DAY)
    _multiply(services, accounts)
    return _measured("a backup every day, one expires every night", services, accounts)


def _lived(services: MemoryServices, days: int) -> Agent:
    """An account that has been backed up and swept every day."""
    chance = random.Random(7)
    account = Account(services.new(AccountId), services.new(CustomerId), "bench", services.now())
    services.accounts.insert(account)
    services.vaults.create(account.id)
    device = Device(
        id=services.new(DeviceId),
        account=account.id,
        customer=account.customer,
        name="laptop",
        platform="linux",
        public_key=b"",
        certificates=(),
        registered_at=services.now(),
    )
    services.devices.insert(device)
    agent = Agent(services, account, device.id, chance, [])
    for _ in range(days):
        agent.back_up()
        services.pass_by(DAY)
        night(services)
    return agent


def _multiply(services: MemoryServices, accounts: int) -> None:
    """Copies everything of the one account there is, under other names."""
    old = services.accounts.scan(None, 1)[0].value
    tables = [table for table in services.tables.tables.values() if table.partitions]
    rows = {
        table.table_name: [row for rows in table.partitions.values() for row, _ in rows.values()] for table in tables
    }
    blobs = dict(services.blobs.containers)
    for n in range(1, accounts):
        customer = CustomerId.make(START, n.to_bytes(ENTROPY_BYTES))
        twin = replace(old, id=AccountId.make(START, n.to_bytes(ENTROPY_BYTES)), customer=customer)
        renamed: dict[str, str] = {old.id: twin.id, old.customer: twin.customer}
        for table in tables:
            for row in rows[table.table_name]:
                table.create_entity({name: renamed.get(value, value) for name, value in row.items()})
        for name, container in blobs.items():
            other = services.blobs.get_container_client(name.replace(old.id, twin.id))
            mine = {key: body for key, body in container.blobs.items() if old.id in name or key.startswith(old.id)}
            other.blobs |= {key.replace(old.id, twin.id): body for key, body in mine.items()}
            other.sizes |= container.sizes


def _measured(case: str, services: MemoryServices, accounts: int) -> Night:
    services.bill.clear()
    began = time.process_time()
    looked_at, swept = night(services)
    spent = time.process_time() - began
    assert looked_at == accounts
    each = {kind: number / accounts for kind, number in sorted(services.bill.items())}
    month, arithmetic = cost(each)
    return Night(
        case=case,
        accounts=accounts,
        swept=swept,
        cpu_seconds=round(spent, 2),
        accounts_a_second=round(accounts / spent, 1),
        operations={kind: round(number, 3) for kind, number in each.items()},
        operations_an_account=round(sum(each.values()), 3),
        eur_a_month_for_100_000=month,
        arithmetic=arithmetic,
        command="python -m bench.nightly",
    )


def cost(each: dict[str, float]) -> tuple[float, str]:
    """100,000 accounts, 30 nights."""
    parts = {kind: number * 100_000 * 30 / 10_000 * EUR_PER_10_000[kind] for kind, number in each.items()}
    terms = " + ".join(f"{number:.3f} {kind} x {EUR_PER_10_000[kind]}" for kind, number in each.items())
    return round(sum(parts.values()), 2), f"100,000 accounts x 30 nights / 10,000 x ({terms})"


def night(services: MemoryServices) -> tuple[int, int]:
    """How many accounts were looked at, and how many swept."""
    looked_at, swept = 0, 0
    for window in _windows(services):
        looked_at += window[0]
        for key in window[1]:
            sweep(services, SweepAccount(key.customer, key.account, services.now()))
            swept += 1
    return looked_at, swept


def _windows(services: MemoryServices) -> Iterator[tuple[int, tuple[AccountKey, ...]]]:
    after: AccountKey | None = None
    while True:
        window = surveying.survey_accounts(services, SurveyAccounts(services.now(), after, WINDOW))
        yield window.looked_at, window.to_sweep
        if (after := window.last) is None:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    told = parser.parse_args()
    sys.stdout.write(json.dumps([asdict(each) for each in measure(told.accounts)], indent=2) + f"\n{PRICES}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
