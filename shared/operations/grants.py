"""Leave to use an account's containers: given for a short while, and taken back at once."""

from dataclasses import replace
from datetime import datetime

from shared.domain.breach import refuse_if_locked
from shared.domain.grants import Purpose, end_of
from shared.domain.ids import AccountId, CustomerId
from shared.domain.tenancy import Account
from shared.operations import customers
from shared.operations.contention import until_unchanged
from shared.services import Services
from shared.storage.sas import SignedGrant
from shared.storage.tables import Changed


def give(services: Services, account: Account, purpose: Purpose, until: datetime) -> SignedGrant:
    """Raises `AccountLocked`."""
    refuse_if_locked(account)
    return services.signer.grant(account, purpose, end_of(services.now(), until))


def renew_all(services: Services, customer: CustomerId, account: AccountId) -> None:
    """Every grant that is out there dies; honest agents ask for a new one. A locked account stays without."""

    def attempt() -> None:
        old = customers.stored_account(services, customer, account)
        services.accounts.replace(old, replace(old.value, grants=old.value.grants + 1))

    # Generation before storage: who is given a grant of the old one in between has nothing in his hands.
    until_unchanged(attempt)
    settle(services, customer, account)


def settle(services: Services, customer: CustomerId, account: AccountId) -> datetime:
    """Make storage take what the account's row says; returns when the last other grant is dead. Safe to repeat."""

    def attempt() -> datetime:
        before = customers.stored_account(services, customer, account)
        end = services.signer.enforce(before.value, services.now())
        # Read again: our write may have come after that of somebody who knew a newer row.
        if customers.stored_account(services, customer, account).etag != before.etag:
            raise Changed(f"account {account} was changed meanwhile")
        return end

    return until_unchanged(attempt)
