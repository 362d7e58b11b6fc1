"""Which accounts have something to sweep: one query an account that has nothing."""

from datetime import datetime

from shared.contracts.sweep import AccountKey, AccountsSurveyed, SurveyAccounts
from shared.domain.commits import fingerprint
from shared.domain.ids import AccountId
from shared.domain.marks import is_past_taking_back
from shared.domain.sessions import as_of
from shared.domain.sweep import Ripe, is_garbage, ripeness
from shared.operations.sweeping import expiring
from shared.services import Services
from shared.storage.vaults import Rows


def survey_accounts(services: Services, order: SurveyAccounts) -> AccountsSurveyed:
    """The next window of accounts. A locked one keeps all it has (N16)."""
    after = order.after and (order.after.customer, order.after.account)
    accounts = [row.value for row in services.accounts.scan(after, order.limit)]
    keys = [AccountKey(account.customer, account.id) for account in accounts]
    open_ones = [key for key, account in zip(keys, accounts, strict=True) if account.locked_at is None]
    return AccountsSurveyed(
        looked_at=len(keys),
        to_sweep=tuple(key for key in open_ones if has_work(services, key.account, order.at)),
        last=keys[-1] if len(keys) == order.limit else None,
    )


def has_work(services: Services, account: AccountId, at: datetime) -> bool:
    rows = services.vaults.rows(account)
    return rows is not None and (_is_unfinished(rows, at) or _lets_go(services, rows, at))


def _is_unfinished(rows: Rows, at: datetime) -> bool:
    """Snapshots that came or went since the last mark, sessions to fence or to clear away, packs to delete."""
    state, sessions = rows.state.value, [session.value for session in rows.sessions]
    return (
        state.deleting is not None
        or (bool(sessions) and state.marked != fingerprint(rows.committed, rows.kept))
        or any(as_of(session, at) is not session or is_garbage(session, at) for session in sessions)
        or any(isinstance(ripeness(batch, sessions, at), Ripe) for batch in state.condemned)
    )


def _lets_go(services: Services, rows: Rows, at: datetime) -> bool:
    """Whether a snapshot goes, or expires."""
    goes = any(is_past_taking_back(snapshot.value, at) for snapshot in rows.snapshots)
    return goes or bool(expiring(services, rows, at))
