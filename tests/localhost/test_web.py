"""HTTP triggers: routes, methods, keys, bodies, headers, and what is refused."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localhost.conftest import WEBHOOK, HostProcess, Launcher

MASTER, DEFAULT, SYSTEM, OWN = "master-key", "default-key", "system-key", "own-key"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    base = tmp_path_factory.mktemp("web")
    keys = base / "keys.json"
    keys.write_text(json.dumps({"master": MASTER, "default": DEFAULT, "system": SYSTEM, "functions": {"keyed": OWN}}))
    launcher = Launcher(base)
    yield launcher("web", "--keys", str(keys), "--log-json", env={"AzureWebJobs.off.Disabled": "true"})
    launcher.stop_all()


def test_the_most_literal_route_wins(web: HostProcess) -> None:
    assert web.call("GET", "/api/items/7").body == b"item 7"
    assert web.call("GET", "/api/items/new").body == b"new"


def test_a_constraint_that_does_not_hold_is_no_match(web: HostProcess) -> None:
    assert web.call("GET", "/api/items/seven").status == 404


def test_a_catch_all_takes_the_rest_of_the_path(web: HostProcess) -> None:
    assert web.call("GET", "/api/files/a/b%20c/d%2Fe.txt").body == b"a/b c/d%2Fe.txt"
    assert web.call("GET", "/api/files").body == b""


def test_an_unknown_path_is_404(web: HostProcess) -> None:
    assert web.call("GET", "/api/nowhere").status == 404
    assert web.call("GET", "/").status == 404


def test_a_wrong_method_is_405_and_names_the_right_ones(web: HostProcess) -> None:
    answer = web.call("POST", "/api/items/new")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, PUT")


def test_head_answers_like_get_without_the_body(web: HostProcess) -> None:
    answer = web.call("HEAD", "/api/hello")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "5", b"")


def test_any_byte_may_go_in_and_come_out(web: HostProcess) -> None:
    body = bytes(range(256)) * 1000
    answer = web.call("POST", "/api/echo", body)
    assert answer.body == body
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_body_of_the_largest_size_is_taken(web: HostProcess) -> None:
    size = 100 * 1024 * 1024
    assert web.call("POST", "/api/size", bytes(size)).body == str(size).encode()


def test_a_larger_body_is_refused_when_it_is_announced(web: HostProcess) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"POST /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\n\r\n")
        assert b" 413 " in raw.recv(1000).split(b"\r\n")[0]


def test_a_larger_body_is_refused_when_it_was_not_announced(web: HostProcess) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    chunk = b"1000000\r\n" + bytes(0x1000000) + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(b"POST /api/size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(7):
            raw.sendall(chunk)
        assert b" 413 " in raw.recv(1000).split(b"\r\n")[0]


def test_repeated_names_are_joined_and_the_url_is_whole(web: HostProcess) -> None:
    answer = web.call("GET", "/api/seen?a=1&b=%C3%A9&a=2&empty=", **{"X-Name": "value"}).json()
    assert answer["params"] == {"a": "1,2", "b": "é", "empty": ""}
    assert answer["headers"]["x-name"] == "value"
    assert answer["url"] == web.url + "/api/seen?a=1&b=%C3%A9&a=2&empty="


def test_repeated_request_headers_are_joined(web: HostProcess) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET /api/seen HTTP/1.1\r\nHost: x\r\nX-Tag: one\r\nX-Tag: two\r\nConnection: close\r\n\r\n")
        reply = b"".join(iter(lambda: raw.recv(65536), b""))
    assert json.loads(reply.split(b"\r\n\r\n")[1])["headers"]["x-tag"] == "one,two"


def test_each_cookie_keeps_its_own_header_and_attributes(web: HostProcess) -> None:
    first, second = web.call("GET", "/api/cookies").headers.getlist("set-cookie")
    assert first == "a=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict"
    assert second == "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"


def test_a_reply_without_content_has_none(web: HostProcess) -> None:
    answer = web.call("DELETE", "/api/nothing")
    assert (answer.status, answer.body) == (204, b"")


def test_a_function_that_raises_is_500_and_tells_nothing(web: HostProcess) -> None:
    answer = web.call("GET", "/api/fails")
    assert (answer.status, answer.body) == (500, b"")


def test_a_disabled_function_is_not_there(web: HostProcess) -> None:
    assert web.call("GET", "/api/off").status == 404


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("/api/hello", "", 200),
        ("/api/keyed", "", 401),
        ("/api/keyed", "wrong", 401),
        ("/api/keyed", SYSTEM, 401),
        ("/api/keyed", DEFAULT, 200),
        ("/api/keyed", OWN, 200),
        ("/api/keyed", MASTER, 200),
        ("/api/admin-only", DEFAULT, 401),
        ("/api/admin-only", MASTER, 200),
        ("/admin/host/status", DEFAULT, 401),
        ("/admin/host/status", MASTER, 200),
        (f"{WEBHOOK}/instances", DEFAULT, 401),
        (f"{WEBHOOK}/instances", SYSTEM, 200),
        (f"{WEBHOOK}/instances", MASTER, 200),
    ],
)
def test_each_door_opens_to_its_keys_only(web: HostProcess, path: str, key: str, expected: int) -> None:
    assert web.call("GET", path, **({"x-functions-key": key} if key else {})).status == expected
    assert web.call("GET", f"{path}?code={key}").status == expected


def test_a_key_that_is_no_text_opens_nothing(web: HostProcess) -> None:
    assert web.call("GET", "/api/keyed?code=%FF%00").status == 401


def test_the_host_says_which_functions_it_has(web: HostProcess) -> None:
    status = web.call("GET", "/admin/host/status", **{"x-functions-key": MASTER}).json()
    assert status["state"] == "Running"
    assert "hello" in status["functions"]
    assert "off" not in status["functions"]


def test_only_timer_functions_run_by_hand(web: HostProcess) -> None:
    head = {"x-functions-key": MASTER}
    assert web.call("POST", "/admin/functions/hello", **head).status == 400
    assert web.call("POST", "/admin/functions/nobody", **head).status == 404
    assert web.call("POST", "/admin/functions/hello").status == 401


def test_a_real_clock_is_not_moved(web: HostProcess) -> None:
    assert web.call("POST", "/admin/clock", {"advance_seconds": 1}, **{"x-functions-key": MASTER}).status == 409


def test_logs_are_json_lines_with_the_call_and_never_its_body(web: HostProcess) -> None:
    web.call("POST", "/api/echo", b"the secret of the body")
    web.call("GET", "/api/fails")
    lines = [json.loads(line) for line in web.log().splitlines() if line.startswith("{")]
    call = next(line for line in lines if line.get("function") == "echo")
    assert {"time", "level", "logger", "message", "invocation_id", "duration_ms", "outcome"} <= call.keys()
    failure = next(line for line in lines if line.get("function") == "fails")
    assert "RuntimeError" in failure["stack"]
    assert "the secret of the body" not in web.log()


def test_an_app_that_cannot_be_imported_ends_the_host_with_its_reason(launch: Launcher) -> None:
    process, ready, log = launch.spawn("broken")
    assert process.wait(20) == 1
    assert "cannot be imported" in log.read_text()
    assert not ready.exists()


def test_an_app_without_host_json_ends_the_host_with_its_reason(launch: Launcher, tmp_path: Path) -> None:
    process, _, log = launch.spawn(tmp_path)
    assert process.wait(20) == 1
    assert "host.json" in log.read_text()


def test_a_port_in_use_ends_the_host_with_its_reason(launch: Launcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process, _, log = launch.spawn("web", "--port", str(taken.getsockname()[1]))
        assert process.wait(20) == 1
    assert "in use" in log.read_text()
