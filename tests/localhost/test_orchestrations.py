"""Every trap of the stock backend, stepped on once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from tests.localhost.conftest import WEBHOOK, HostProcess

DAY = 24 * 3600


def threads_of(host: HostProcess) -> int:
    return len(list(Path(f"/proc/{host.process.pid}/task").iterdir()))


def test_fourteen_days_pass_in_a_moment(durable: HostProcess) -> None:
    instance = durable.start("sleep_days", 14)
    durable.advance(14 * DAY + 1)
    status = durable.status(instance)
    assert status["runtimeStatus"] == "Completed"
    assert 14 * DAY <= status["output"] < 14 * DAY + 5


def test_a_sub_orchestration_may_take_longer_than_thirty_seconds(durable: HostProcess) -> None:
    instance = durable.start("slow_parent", 3600)
    durable.advance(3601)
    assert durable.status(instance)["output"] == f"child of {instance}"


def test_a_thousand_timers_need_no_thread_each(durable: HostProcess) -> None:
    before = threads_of(durable)
    instance = durable.start("many_timers", 1000)
    durable.settle()
    assert threads_of(durable) <= before + 20
    durable.advance(3600 + 10)
    assert durable.status(instance)["output"] == 1000


def test_a_start_in_the_future_waits_for_its_time(durable: HostProcess) -> None:
    at = durable.now() + timedelta(hours=5)
    instance = durable.start("when_started", at=at.isoformat())
    durable.advance(4 * 3600)
    assert durable.status(instance)["runtimeStatus"] == "Pending"
    durable.advance(3600)
    status = durable.status(instance)
    assert status["runtimeStatus"] == "Completed"
    assert datetime.fromisoformat(status["output"]).replace(tzinfo=at.tzinfo) >= at


def test_an_event_does_not_wake_a_start_in_the_future(durable: HostProcess) -> None:
    at = durable.now() + timedelta(hours=5)
    instance = durable.start("listens", 1, at=at.isoformat())
    assert durable.call("POST", f"{WEBHOOK}/instances/{instance}/raiseEvent/word", "early").status == 202
    durable.advance(3600)
    assert durable.status(instance)["runtimeStatus"] == "Pending"
    durable.advance(4 * 3600)
    assert durable.status(instance)["output"] == ["early"]


def test_a_start_in_the_future_can_be_terminated(durable: HostProcess) -> None:
    instance = durable.start("when_started", at=(durable.now() + timedelta(hours=5)).isoformat())
    durable.call("POST", f"/api/terminate/{instance}?recursive=false")
    durable.settle()
    assert durable.status(instance)["runtimeStatus"] == "Terminated"


def test_termination_reaches_all_descendants(durable: HostProcess) -> None:
    durable.start("tree", 2, id="oak")
    durable.settle()
    durable.call("POST", "/api/terminate/oak?recursive=true")
    durable.settle()
    family = ["oak", "oak.0", "oak.1", "oak.0.0", "oak.0.1", "oak.1.0", "oak.1.1"]
    assert {durable.status(name)["runtimeStatus"] for name in family} == {"Terminated"}


def test_termination_without_recursion_spares_the_children(durable: HostProcess) -> None:
    durable.start("tree", 1, id="elm")
    durable.settle()
    durable.call("POST", "/api/terminate/elm?recursive=false")
    durable.settle()
    assert durable.status("elm")["runtimeStatus"] == "Terminated"
    assert durable.status("elm.0")["runtimeStatus"] == "Running"


def test_twenty_megabytes_pass_through_every_hand(durable: HostProcess) -> None:
    answer = durable.call("POST", "/api/run/carry", 20)
    assert answer.json()["size"] == 20 * 1024 * 1024
    assert len(answer.json()["text"]) == 20 * 1024 * 1024


def test_twenty_megabytes_come_in_and_go_out(durable: HostProcess) -> None:
    text = "y" * (20 * 1024 * 1024)
    assert durable.call("POST", "/api/run/echo", text).json() == text


def test_a_history_may_be_longer_than_ten_thousand_events(durable: HostProcess) -> None:
    instance = durable.start("fan", 5100)
    assert durable.wait(instance, seconds=60)["output"] == sum(range(1, 5101))
    events = durable.status(instance, showHistory="true")["historyEvents"]
    assert len(events) > 5100


def test_a_missing_activity_fails_the_instance_and_says_so(durable: HostProcess) -> None:
    instance = durable.start("calls_missing")
    status = durable.wait(instance, "Failed")
    assert "The function 'no_such_activity' doesn't exist" in status["output"]


def test_a_missing_orchestrator_fails_the_instance_and_says_so(durable: HostProcess) -> None:
    instance = durable.start("no_such_orchestrator")
    status = durable.wait(instance, "Failed")
    assert "The function 'no_such_orchestrator' doesn't exist" in status["output"]


def test_an_activity_that_fails_without_a_message_has_failed(durable: HostProcess) -> None:
    instance = durable.start("calls_silent")
    assert "ValueError" in durable.wait(instance, "Failed")["output"]


def test_an_activity_whose_result_cannot_be_sent_fails_the_instance(durable: HostProcess) -> None:
    instance = durable.start("calls_clumsy")
    assert "serializable" in durable.wait(instance, "Failed")["output"]


def test_continue_as_new_keeps_the_id_and_drops_the_history(durable: HostProcess) -> None:
    instance = durable.start("loops", 30)
    assert durable.wait(instance)["output"] == "done"
    assert len(durable.status(instance, showHistory="true")["historyEvents"]) < 8


def test_answers_to_a_former_generation_are_not_taken_for_the_present_one(durable: HostProcess) -> None:
    instance = durable.start("leaves_work_behind", 0)
    durable.wait(instance, "Running")
    durable.call("POST", f"{WEBHOOK}/instances/{instance}/raiseEvent/next")
    durable.settle()
    durable.advance(600)
    assert durable.status(instance)["runtimeStatus"] == "Running"
    durable.advance(3600)
    assert durable.status(instance)["output"] == {"answer": 2}


def test_retries_wait_as_long_as_their_policy_says(durable: HostProcess) -> None:
    attempts = durable.tally / "lucky"
    instance = durable.start("retries", "lucky")
    durable.settle()
    for seconds, made in ((590, 1), (20, 2), (1180, 2), (30, 3)):
        durable.advance(seconds)
        assert attempts.stat().st_size == made
    assert durable.status(instance)["output"] == "attempt 3"


def test_a_suspended_instance_keeps_its_events(durable: HostProcess) -> None:
    instance = durable.start("listens", 2)
    durable.wait(instance, "Running")
    durable.call("POST", f"{WEBHOOK}/instances/{instance}/suspend?reason=pause")
    durable.wait(instance, "Suspended")
    for word in ("one", "two"):
        assert durable.call("POST", f"{WEBHOOK}/instances/{instance}/raiseEvent/word", word).status == 202
    durable.settle()
    assert durable.status(instance)["runtimeStatus"] == "Suspended"
    durable.call("POST", f"{WEBHOOK}/instances/{instance}/resume?reason=go")
    assert durable.wait(instance)["output"] == ["one", "two"]


def test_custom_status_is_shown(durable: HostProcess) -> None:
    instance = durable.start("listens", 2)
    durable.settle()
    durable.call("POST", f"{WEBHOOK}/instances/{instance}/raiseEvent/word", "one")
    durable.settle()
    assert durable.status(instance)["customStatus"] == {"heard": ["one"]}


def test_a_second_start_of_a_running_id_is_refused(durable: HostProcess) -> None:
    durable.start("listens", 1, id="only-one")
    durable.settle()
    answer = durable.call("POST", f"{WEBHOOK}/orchestrators/listens/only-one", 1)
    assert answer.status == 409
    assert "already exists" in answer.json()["Message"]


def test_of_many_starts_of_one_id_at_once_one_wins(durable: HostProcess) -> None:
    def start(_: int) -> int:
        return durable.call("POST", f"{WEBHOOK}/orchestrators/listens/contested", 1).status

    with ThreadPoolExecutor(16) as pool:
        outcomes = sorted(pool.map(start, range(16)))
    assert outcomes == [202] + [409] * 15


def test_the_id_of_an_ended_instance_can_be_used_again(durable: HostProcess) -> None:
    for value in ("first", "second"):
        durable.start("echo", value, id="again")
        assert durable.wait("again")["output"] == value


def test_a_purged_id_can_be_used_again(durable: HostProcess) -> None:
    durable.start("echo", "first", id="purged")
    durable.wait("purged")
    assert durable.call("DELETE", f"{WEBHOOK}/instances/purged").json() == {"instancesDeleted": 1}
    assert durable.call("GET", f"{WEBHOOK}/instances/purged").status == 404
    durable.start("echo", "second", id="purged")
    assert durable.wait("purged")["output"] == "second"


def test_an_id_that_no_storage_could_hold_is_refused(durable: HostProcess) -> None:
    for bad in ("@entity@key", "a%23b", "x" * 300):
        assert durable.call("POST", f"{WEBHOOK}/orchestrators/echo/{bad}").status == 400


def test_a_rewound_instance_runs_only_what_failed_again(durable: HostProcess) -> None:
    curse = durable.tally / "witch.cursed"
    curse.touch()
    instance = durable.start("fails_until_told", "witch")
    durable.wait(instance, "Failed")
    curse.unlink()
    assert durable.call("POST", f"{WEBHOOK}/instances/{instance}/rewind?reason=cured").status == 202
    assert durable.wait(instance, "Completed")["output"] == [2, "well"]
