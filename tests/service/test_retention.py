"""Retention over HTTP: a policy is changed with care, tried out, explained; holds and pins are on record."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.ids import AccountId, SessionId
from shared.services import Services
from tests.service.client import Answer, Client
from tests.service.people import Customer, Device, Service, register
from tests.service.vault import back_up

DEFAULT = {
    "keep_within_days": 14,
    **dict.fromkeys(("last", "daily", "weekly", "monthly", "quarterly", "yearly"), 0),
    "time_zone": "Europe/Berlin",
}


@dataclass(frozen=True, slots=True)
class House:
    """An account of a customer's, its administrator and a device with snapshots."""

    customer: Customer
    admin: Client
    device: Device
    client: Client

    @property
    def account(self) -> str:
        return f"/accounts/{self.device.account}"

    @property
    def retention(self) -> str:
        return f"{self.account}/retention"

    def put(self, body: Any, etag: str | None = None) -> Answer:
        seen = self.admin.get(self.retention).made(200)["etag"] if etag is None else etag
        return self.admin.put(self.retention, body, {"If-Match": seen})

    def snapshot(self) -> str:
        return f"{self.account}/snapshots/{back_up(self.device, client=self.client).id}"

    def holds(self, snapshot: str) -> str:
        return f"/customers/{self.customer.id}{snapshot}/holds"

    def deeds(self) -> list[tuple[str, str]]:
        return [(item["deed"], item["outcome"]) for item in self.admin.get("/audit", limit=1000).made(200)["items"]]


@pytest.fixture(scope="module")
def admin(service: Service, operator: Client) -> tuple[Customer, Client]:
    customer = service.customer(operator)
    return customer, customer.user("admin").log_in()


@pytest.fixture
def house(service: Service, admin: tuple[Customer, Client]) -> House:
    """A new account, so that nobody else has chosen a policy."""
    customer, client = admin
    device = register(service, client, customer.account())
    return House(customer, client, device, device.log_in())


def test_who_never_chose_has_fourteen_days(house: House) -> None:
    answer = house.admin.get(house.retention)
    assert answer.headers["ETag"] == answer["etag"]
    found = answer.made(200)
    assert (found["policy"], found["sets"], found["pending"], found["changed_by"]) == (DEFAULT, {}, None, None)


def test_a_preset_and_a_policy_for_a_set_act_at_once_when_they_keep_more(house: House) -> None:
    body = {"preset": "netgo-gfs-12m", "sets": {"mail": {"keep_within_days": 90, "time_zone": "UTC"}}}
    made = house.put(body).made(200)
    assert made["pending"] is None
    assert made["policy"] == {**DEFAULT, "daily": 15, "weekly": 6, "monthly": 13, "yearly": 2}
    assert made["sets"] == {"mail": {**DEFAULT, "keep_within_days": 90, "time_zone": "UTC"}}
    assert house.admin.get(house.retention).made(200) == made
    assert ("retention.change", "done") in house.deeds()


def test_a_shortening_is_confirmed_shown_and_called_off(house: House) -> None:
    shorter = {"policy": {"keep_within_days": 7}}
    house.put(shorter).refused(409, "confirmation-needed")
    house.put({**shorter, "confirm": "0" * 26}).refused(409, "confirmation-needed")
    made = house.put({**shorter, "confirm": house.device.account}).made(200)
    pending = made["pending"]
    waits = datetime.fromisoformat(pending["in_force_at"]) - datetime.fromisoformat(pending["asked_at"])
    assert (made["policy"], pending["policy"]["keep_within_days"], waits) == (DEFAULT, 7, timedelta(hours=24))
    off = house.admin.call("DELETE", f"{house.retention}/pending").made(200)
    assert (off["policy"], off["pending"]) == (DEFAULT, None)
    house.admin.call("DELETE", f"{house.retention}/pending").refused(409, "conflict")
    assert [outcome for deed, outcome in house.deeds() if deed == "retention.call-off"][-2:] == ["done", "conflict"]


def test_a_policy_replaces_only_what_the_caller_has_seen(house: House) -> None:
    house.put({"policy": {"last": 3}}, '"another"').refused(412, "precondition-failed")
    house.admin.put(house.retention, {"policy": {}}, {}).refused(400, "invalid-request", "If-Match")


def test_a_policy_that_makes_no_sense_is_refused(house: House) -> None:
    """With the path of the field that is at fault."""
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"last": -1}, "policy.last"),
        ({"yearly": 10**6}, "policy.yearly"),
        ({"keep_within_days": 36_526}, "policy.keep_within_days"),
        ({"time_zone": "Europe/Bern"}, "policy.time_zone"),
        ({"time_zone": "localtime"}, "policy.time_zone"),
        ({"hourly": 1}, "policy.hourly"),
    ]
    for policy, field in wrong:
        house.put({"policy": policy}, '"x"').refused(400, "invalid-request", field)


def test_a_body_names_one_policy(house: House) -> None:
    wrong: list[dict[str, Any]] = [{}, {"policy": {}, "preset": "netik-14d"}, {"sets": {"mail": {}}}]
    for body in wrong:
        house.put(body, '"x"').refused(400, "invalid-request", "policy")
    house.put({"policy": {}, "sets": {"Mail": {}}}, '"x"').refused(400, "invalid-request", "sets.Mail.[key]")


def test_a_simulation_tells_what_a_policy_would_do_and_does_nothing(house: House) -> None:
    old, new = house.snapshot(), house.snapshot()
    body = {"policy": {"keep_within_days": 0}}
    found = house.admin.post(f"{house.retention}/simulate", body).made(200)
    assert (found["kept"], found["expired"]) == (1, 1)
    assert [(each["snapshot"], each["verdict"]) for each in found["judgements"]] == [
        (new.rpartition("/")[2], "keep"),
        (old.rpartition("/")[2], "expire"),
    ]
    later = (datetime.fromisoformat(found["at"]) + timedelta(days=99)).isoformat()
    assert house.admin.post(f"{house.retention}/simulate", {"at": later}).made(200)["expired"] == 1
    past = {"at": "2020-01-01T00:00:00Z"}
    house.admin.post(f"{house.retention}/simulate", past).refused(400, "invalid-request", "at")
    assert house.admin.get(house.retention).made(200)["policy"] == DEFAULT


def test_every_snapshot_is_explained(house: House) -> None:
    told = house.client.get(f"{house.snapshot()}/retention").made(200)
    assert told["judgement"]["reasons"] == ["newest of device", "within 14 days"]
    assert told["snapshot"]["take_back_until"] is None


def test_an_operator_holds_on_instruction_and_nobody_else_releases_it(house: House) -> None:
    snapshot = house.snapshot()
    path, operator, body = house.holds(snapshot), house.customer.operator, {"reason": "file 7 O 12/26"}
    operator.post(path, body).refused(400, "invalid-request", "Hort-Instruction")
    instructed = {"Hort-Instruction": "letter of 3 March"}
    hold = operator.call("POST", path, body, instructed).made()
    assert (hold["reason"], hold["by_provider"]) == ("file 7 O 12/26", True)
    assert house.admin.get(snapshot).made(200)["holds"] == [hold]
    assert "held: file 7 O 12/26" in house.admin.get(f"{snapshot}/retention").made(200)["judgement"]["reasons"]
    house.admin.call("DELETE", f"{path}/{hold['id']}").refused(403, "forbidden")
    operator.call("DELETE", f"{path}/{hold['id']}", None, instructed).made(200)
    placed = next(item for item in house.admin.get("/audit", deed="hold.place").made(200)["items"][::-1])
    assert (placed["outcome"], placed["instruction"]) == ("done", "letter of 3 March")


def test_a_hold_is_placed_once_with_one_key(house: House) -> None:
    snapshot = house.snapshot()
    first, again = (house.admin.post(house.holds(snapshot), {"reason": "N"}, key="the same key") for _ in range(2))
    assert first.made() == again.made()
    assert house.admin.get(snapshot).made(200)["holds"] == [first.json]


def test_an_expired_snapshot_is_listed_not_restored_and_taken_back_pinned(service: Service, house: House) -> None:
    snapshot = house.snapshot()
    expire(service, house, snapshot)
    (listed,) = house.admin.get(f"{house.account}/snapshots").made(200)["items"]
    grace = datetime.fromisoformat(listed["take_back_until"]) - datetime.fromisoformat(listed["expired_at"])
    assert grace == timedelta(hours=24)
    wanted = {"snapshot": listed["id"]}
    for client in (house.admin, house.client):
        client.post(f"{house.account}/restores", wanted).refused(409, "snapshot-expired")
    house.admin.post(f"{snapshot}/pin").refused(409, "snapshot-expired")
    back = house.admin.post(f"{snapshot}/take-back").made(200)
    assert (back["expired_at"], back["take_back_until"], back["pinned"]) == (None, None, True)
    house.client.post(f"{house.account}/restores", wanted).made()
    assert not house.admin.post(f"{snapshot}/unpin").made(200)["pinned"]
    assert {("snapshot.take-back", "done"), ("snapshot.unpin", "done")} <= set(house.deeds())


def expire(service: Service, house: House, snapshot: str) -> None:
    """What a sweep writes."""
    services, account = Services(service.stack.settings), AccountId.parse(house.device.account)
    state = services.vaults.state(account)
    stored = services.vaults.stored_snapshot(account, SessionId.parse(snapshot.rpartition("/")[2]))
    assert state is not None
    assert stored is not None
    services.vaults.mark(state, stored, replace(stored.value, expired_at=service.now()))
