"""The durable webhooks: starting, asking, steering and purging from outside."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.localhost.conftest import WEBHOOK, HostProcess


def post(host: HostProcess, path: str, body: Any = None) -> int:
    return host.call("POST", f"{WEBHOOK}/{path}", body).status


def test_a_start_answers_with_links_that_work(durable: HostProcess) -> None:
    answer = durable.call("POST", f"{WEBHOOK}/orchestrators/listens", 1)
    links = answer.json()
    assert answer.status == 202
    assert answer.headers["location"] == links["statusQueryGetUri"]
    for name, uri in links.items():
        if name != "id":
            assert uri.startswith(durable.url), name
    event = links["sendEventPostUri"].removeprefix(durable.url).replace("{eventName}", "word")
    assert durable.call("POST", event, "hello").status == 202
    assert durable.wait(links["id"])["output"] == ["hello"]


def test_a_running_instance_is_202_and_an_ended_one_200(durable: HostProcess) -> None:
    durable.start("listens", 1, id="codes")
    durable.settle()
    assert durable.call("GET", f"{WEBHOOK}/instances/codes").status == 202
    post(durable, "instances/codes/raiseEvent/word", "x")
    durable.settle()
    assert durable.call("GET", f"{WEBHOOK}/instances/codes").status == 200


def test_a_failed_instance_is_500_where_that_is_asked_for(durable: HostProcess) -> None:
    instance = durable.start("calls_missing")
    durable.wait(instance)
    path = f"{WEBHOOK}/instances/{instance}"
    assert durable.call("GET", path).status == 200
    assert durable.call("GET", f"{path}?returnInternalServerErrorOnFailure=true").status == 500


def test_history_input_and_outputs_are_shown_on_demand(durable: HostProcess) -> None:
    instance = durable.start("three", 4)
    status = durable.wait(instance)
    assert (status["input"], status["output"]) == (4, 7)
    assert "historyEvents" not in status
    assert durable.status(instance, showInput="false")["input"] is None
    events = durable.status(instance, showHistory="true", showHistoryOutput="true")["historyEvents"]
    assert [event["EventType"] for event in events] == [
        "ExecutionStarted",
        *["TaskCompleted"] * 3,
        "ExecutionCompleted",
    ]
    assert [event.get("Result") for event in events[1:4]] == [5, 6, 7]
    assert all(event["Timestamp"].startswith("20") for event in events)
    bare = durable.status(instance, showHistory="true")["historyEvents"]
    assert all("Result" not in event for event in bare)


def test_a_list_is_filtered_and_paged(durable: HostProcess) -> None:
    for n in range(5):
        durable.start("echo", n, id=f"page{n}")
        durable.wait(f"page{n}")
    seen: list[str] = []
    token = ""
    while token or not seen:
        headers = {"x-ms-continuation-token": token} if token else {}
        answer = durable.call("GET", f"{WEBHOOK}/instances?instanceIdPrefix=page&top=2", **headers)
        seen += [row["instanceId"] for row in answer.json()]
        token = answer.headers.get("x-ms-continuation-token", "")
    assert seen == [f"page{n}" for n in range(5)]
    none = durable.call("GET", f"{WEBHOOK}/instances?instanceIdPrefix=page&runtimeStatus=Failed,Running").json()
    assert none == []


def test_a_purge_by_filter_takes_only_what_ended_then(durable: HostProcess) -> None:
    durable.advance(3600)
    since = quote(durable.now().isoformat())
    durable.start("echo", 1, id="purge-ended")
    durable.start("listens", 1, id="purge-running")
    durable.settle()
    answer = durable.call("DELETE", f"{WEBHOOK}/instances?createdTimeFrom={since}&runtimeStatus=Completed,Failed")
    assert answer.json() == {"instancesDeleted": 1}
    assert durable.call("GET", f"{WEBHOOK}/instances/purge-ended").status == 404
    assert durable.call("GET", f"{WEBHOOK}/instances/purge-running").status == 202


def test_a_restart_runs_the_same_input_again(durable: HostProcess) -> None:
    durable.start("echo", {"same": "input"}, id="restarted")
    durable.wait("restarted")
    renewed = durable.call("POST", f"{WEBHOOK}/instances/restarted/restart").json()["id"]
    assert renewed != "restarted"
    assert durable.wait(renewed)["output"] == {"same": "input"}
    path = f"{WEBHOOK}/instances/restarted/restart?restartWithNewInstanceId=false"
    assert durable.call("POST", path).json()["id"] == "restarted"
    assert durable.wait("restarted")["output"] == {"same": "input"}


def test_an_ended_instance_takes_no_orders(durable: HostProcess) -> None:
    durable.start("echo", 1, id="done")
    durable.wait("done")
    for operation in ("terminate", "suspend", "resume", "raiseEvent/word"):
        assert post(durable, f"instances/done/{operation}", 1) == 410


def test_a_running_instance_is_neither_rewound_nor_restarted(durable: HostProcess) -> None:
    durable.start("listens", 1, id="busy")
    durable.settle()
    for operation in ("rewind", "restart"):
        assert post(durable, f"instances/busy/{operation}") == 410


def test_the_reason_of_a_termination_is_its_output(durable: HostProcess) -> None:
    durable.start("listens", 1, id="stopped")
    durable.settle()
    assert post(durable, "instances/stopped/terminate?reason=enough") == 202
    assert durable.wait("stopped", "Terminated")["output"] == "enough"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "instances/nobody", None, 404),
        ("DELETE", "instances/nobody", None, 404),
        ("POST", "instances/nobody/raiseEvent/x", None, 404),
        ("POST", "instances/nobody/terminate", None, 404),
        ("POST", "instances/nobody/dance", None, 404),
        ("GET", "nothing/here", None, 404),
        ("GET", "instances?top=none", None, 400),
        ("GET", "instances?createdTimeFrom=yesterday", None, 400),
        ("GET", "instances?runtimeStatus=Dancing", None, 400),
        ("DELETE", "instances", None, 400),
        ("POST", "orchestrators/echo", b"{no json", 400),
        ("POST", "orchestrators/echo", b"\xff\xfe", 400),
        ("GET", "entities/counter/nobody", None, 404),
    ],
)
def test_what_makes_no_sense_is_refused(durable: HostProcess, method: str, path: str, body: Any, status: int) -> None:
    answer = durable.call(method, f"{WEBHOOK}/{path}", body)
    assert answer.status == status
    assert answer.json().get("Message") or answer.json() == {"instancesDeleted": 0}
