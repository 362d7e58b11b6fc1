"""Entities: what a lock promises, when a signal comes, and what a failed operation does."""

from datetime import timedelta

from tests.localhost.conftest import WEBHOOK, HostProcess


def value_of(host: HostProcess, key: str) -> int:
    return host.call("GET", f"{WEBHOOK}/entities/counter/{key}").json()


def test_two_critical_sections_on_one_entity_run_one_after_the_other(durable: HostProcess) -> None:
    instances = [durable.start("critical", {"key": "vault"}) for _ in range(3)]
    durable.advance(3 * 3600 + 60)
    assert sorted(durable.status(i)["output"] for i in instances) == [0, 1, 2]
    assert value_of(durable, "vault") == 3


def test_a_signal_from_outside_waits_for_the_lock(durable: HostProcess) -> None:
    durable.call("POST", "/api/signal/guarded/add")
    instance = durable.start("critical", {"key": "guarded"})
    durable.settle()
    durable.call("POST", "/api/signal/guarded/add")
    durable.settle()
    assert value_of(durable, "guarded") == 1
    durable.advance(3660)
    assert durable.status(instance)["runtimeStatus"] == "Completed"
    assert value_of(durable, "guarded") == 3


def test_an_orchestration_that_dies_gives_its_locks_back(durable: HostProcess) -> None:
    durable.start("locks_and_dies", "heirloom", id="holder")
    durable.settle()
    heir = durable.start("critical", {"key": "heirloom"})
    durable.advance(7200)
    assert durable.status(heir)["runtimeStatus"] == "Running"
    durable.call("POST", f"{WEBHOOK}/instances/holder/terminate")
    durable.advance(3660)
    assert durable.status(heir)["output"] == 0


def test_a_clean_up_leaves_locks_that_are_held(durable: HostProcess) -> None:
    durable.call("POST", "/api/signal/swept/add")
    durable.start("critical", {"key": "swept"})
    durable.settle()
    assert durable.call("POST", "/api/clean").status == 202
    durable.call("POST", "/api/signal/swept/add")
    durable.settle()
    assert value_of(durable, "swept") == 1


def test_a_delayed_signal_comes_at_its_time(durable: HostProcess) -> None:
    at = durable.now() + timedelta(hours=2)
    durable.call("POST", f"/api/signal/later/add?at={at.isoformat().replace('+', '%2B')}")
    durable.advance(3600)
    assert durable.call("GET", f"{WEBHOOK}/entities/counter/later").status == 404
    durable.advance(3601)
    assert value_of(durable, "later") == 1


def test_a_failed_operation_leaves_the_state_as_it_was(durable: HostProcess) -> None:
    for operation in ("add", "boom", "add"):
        durable.call("POST", f"/api/signal/tough/{operation}")
    durable.settle()
    assert value_of(durable, "tough") == 2


def test_a_burst_of_signals_counts_each_once(durable: HostProcess) -> None:
    for _ in range(50):
        assert durable.call("POST", f"{WEBHOOK}/entities/Counter/burst?op=add", 1).status == 202
    durable.settle()
    assert value_of(durable, "burst") == 50


def test_entities_are_listed_by_name(durable: HostProcess) -> None:
    durable.call("POST", f"{WEBHOOK}/entities/Counter/listed?op=add", 7)
    durable.settle()
    rows = durable.call("GET", f"{WEBHOOK}/entities/counter?fetchState=true").json()
    assert {"name": "counter", "key": "listed"} in [row["entityId"] for row in rows]
    assert [row["state"] for row in rows if row["entityId"]["key"] == "listed"] == [7]
