"""Nights pass, and people look at what the sweeps did: over the service's API, as they would."""

import json
from dataclasses import dataclass
from datetime import timedelta

import urllib3

from agent.credentials import Password
from agent.patience import Patience
from agent.replies import parse
from agent.service import Service
from agent.tokens import make_nonce
from agent.transport import Transport
from demo.stack import OPERATOR, Stack
from shared.api.backups import Hold, Snapshot
from shared.api.retention import PlaceHold, Policy, PutRetention, Retention
from shared.api.sweeps import Deletion, Sweep, SweepReport
from shared.domain.ids import AccountId, SessionId
from tests.scenarios.conftest import Customer

DAY = timedelta(days=1)


class Person(Service):
    """Somebody who logs in with a password."""

    def __init__(self, url: str, login: str, password: str) -> None:
        super().__init__(url, Password(login, password), Transport(Patience()))

    def take_back(self, account: AccountId, snapshot: SessionId) -> Snapshot:
        path = f"/accounts/{account}/snapshots/{snapshot}/take-back"
        return parse(self._post(path, None, make_nonce()), Snapshot, self._api)

    def hold(self, customer: Customer, snapshot: SessionId, reason: str) -> Hold:
        path = f"{_path(customer)}/snapshots/{snapshot}/holds"
        return self._create(path, PlaceHold(reason=reason), Hold, make_nonce())

    def choose_policy(self, customer: Customer, policy: Policy) -> Retention:
        """What shortens is in force a day later."""
        path = f"/accounts/{customer.account}/retention"
        seen = self._get(path, Retention)
        body = PutRetention(policy=policy, confirm=customer.account)
        return parse(self._call("PUT", path, body, {"If-Match": seen.etag}), Retention, self._api)

    def start_sweep(self, customer: Customer) -> Sweep:
        return parse(self._post(f"{_path(customer)}/sweep", None, make_nonce()), Sweep, self._api)

    def sweep(self, customer: Customer) -> Sweep:
        return self._get(f"{_path(customer)}/sweep", Sweep)

    def sweep_reports(self, customer: Customer) -> list[SweepReport]:
        return list(self._pages(f"{_path(customer)}/sweep-reports", SweepReport))

    def deletions(self, customer: Customer) -> list[Deletion]:
        return list(self._pages(f"{_path(customer)}/deletions", Deletion))


def operator(stack: Stack) -> Person:
    return Person(stack.url, OPERATOR, stack.operator_password())


def administrator(customer: Customer) -> Person:
    """Once a device has signed in, and so the first password is changed."""
    return Person(customer.stack.url, customer.login, (customer.folder / "password.txt").read_text())


@dataclass(frozen=True, slots=True)
class Nights:
    """The service's own timers, in a time of its own."""

    stack: Stack

    def pass_by(self, by: timedelta = DAY, *, jump: bool = False) -> None:
        """Every timer in between has run, and what it started is done; not so with a `jump`."""
        body = json.dumps({"advance_seconds": by.total_seconds(), "jump": jump})
        reply = urllib3.request("POST", f"{self.stack.url}/admin/clock", body=body, retries=False, timeout=120)
        assert reply.status < 300, reply.data


def _path(customer: Customer) -> str:
    return f"/customers/{customer.id}/accounts/{customer.account}"
