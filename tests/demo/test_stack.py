"""The service on this machine: whatever happens to it, nothing is left running."""

import sys
from pathlib import Path

import pytest

from demo import __main__ as demo
from demo import stack
from demo.stack import Stack, StackError


@pytest.fixture
def a_host_that_never_is_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that it makes when it is stopped in order."""
    ended = tmp_path / "ended"
    code = f"""
import pathlib, signal, sys
def end(*_):
    pathlib.Path({str(ended)!r}).touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""

    def command(_stack: Stack, _ready: Path) -> list[str]:
        return [sys.executable, "-c", code]

    monkeypatch.setattr(Stack, "_command", command)
    monkeypatch.setattr(stack, "READY_TIMEOUT_SECONDS", 1)
    return ended


def test_a_host_that_does_not_come_up_is_stopped(a_host_that_never_is_ready: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"host\.log"), Stack.start(tmp_path / "state"):
        pass
    assert a_host_that_never_is_ready.exists()


def test_an_interrupted_demo_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(original: Path, state: Path) -> int:
        (state / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "STATES", tmp_path / "states")
    monkeypatch.setattr(demo, "_run", interrupted)
    assert demo.main(["--dir", str(tmp_path)]) == 130
    assert list((tmp_path / "states").iterdir()) == []
    assert "interrupted" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "STATES", tmp_path / "states")
    assert demo.main(["--dir", str(tmp_path / "[nowhere]")]) == 2
    assert "[nowhere]" in capsys.readouterr().out
    assert not (tmp_path / "states").exists()
