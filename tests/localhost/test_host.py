"""The host as a whole: in one's own process, from the command line, and its stop."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localhost.keys import BadKeysError, read_keys
from tests.localhost.conftest import APPS, Launcher

ROOT = Path(__file__).parents[2]


def test_a_test_lives_through_days_with_the_host_in_its_own_process() -> None:
    script = [sys.executable, str(Path(__file__).with_name("in_process.py")), str(APPS / "durable")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["after_one_day"] == "Running"
    assert 2.99 < seen["lived_days"] < 3.01


def test_a_host_that_is_asked_to_stop_leaves_nothing_behind(launch: Launcher) -> None:
    host = launch("durable")
    assert host.stop() == 0
    assert not Path(f"/proc/{host.process.pid}").exists()
    assert "Traceback" not in host.log()


def test_a_request_under_way_is_answered_before_the_host_stops(launch: Launcher) -> None:
    host = launch("web")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(host.call, "GET", "/api/slow")
        time.sleep(0.4)
        assert host.stop() == 0
        assert answer.result().body == b"slow but whole"


def test_a_function_that_hangs_does_not_keep_the_host(launch: Launcher) -> None:
    host = launch("durable", "--grace", "1")
    instance = host.start("hangs", 30)
    host.wait(instance, "Running")
    assert host.stop() == 0
    assert "the next start runs it again" in host.log()
    host = launch("durable", "--grace", "1", env={"HANG": "no"})
    assert host.wait(instance)["output"] == "did not hang"


def test_the_ready_file_tells_where_the_host_is(launch: Launcher) -> None:
    host = launch("web")
    assert host.call("GET", "/api/hello").body == b"hello"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"master": ""}', '{"master": "m", "unknown": 1}'])
def test_a_key_file_that_protects_nothing_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(BadKeysError):
        read_keys(path)
