"""What the agent says: one JSON document, printable text, and how far a run is."""

import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import progress
from agent.cli.exits import Exit
from agent.cli.output import Outcome, columns, count, plain, printable, show, show_fault, size
from agent.meter import Meter, Reading


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    at: datetime
    path: Path
    colour: Colour
    pairs: tuple[Pair, ...]
    lazy: Iterator[int]
    nothing: None = None


def document() -> Document:
    at = datetime(2026, 1, 1, 2, 0, tzinfo=timezone(timedelta(hours=2)))
    return Document(at, Path("/x"), Colour.RED, (Pair("a\udcff", "why"),), iter([1, 2]))


def test_a_document_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(Outcome(document(), lambda _: ["never"]), as_json=True)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "at": "2026-01-01T00:00:00Z",
        "path": "/x",
        "colour": "red",
        "pairs": [{"path": "a\\xff", "reason": "why"}],
        "lazy": [1, 2],
        "nothing": None,
    }


def test_people_get_lines_and_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(Outcome(document(), lambda said: [said.colour, "two"]), as_json=False)
    assert capsys.readouterr().out == "red\ntwo\n"


def test_what_has_no_json_form_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        plain(object())


@given(st.binary())
def test_any_name_can_be_printed(name: bytes) -> None:
    shown = printable(name.decode("utf-8", "surrogateescape"))
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_are_short(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text


def test_one_is_not_many() -> None:
    told = [count(0, "file"), count(1, "file"), count(2_000, "file"), count(2, "entry", "entries")]
    assert told == ["0 files", "1 file", "2,000 files", "2 entries"]


def test_an_error_cannot_write_to_the_terminal_what_a_name_says(capsys: pytest.CaptureFixture[str]) -> None:
    show_fault("there is no /tmp/a\x1b[31m\nhort: all is well", Exit.FAILED, as_json=False)
    assert capsys.readouterr().err == "hort: there is no /tmp/a\\x1b[31m\\nhort: all is well\n"


def test_columns_line_up() -> None:
    assert list(columns([("A", "B"), ("long", "x")])) == ["A     B", "long  x"]


def test_a_line_tells_files_bytes_speed_and_time_left() -> None:
    now = Reading(entries=10, total_entries=20, logical_bytes=1 << 20, total_bytes=3 << 20, sent_bytes=512)
    told = progress.line("Backing up", "sent", now, seconds=2.0)
    assert told == "Backing up 10/20 entries, 1.0 MiB of 3.0 MiB, sent 512 B, 512.0 KiB/s, 4 s left"


def test_a_line_promises_no_end_that_nobody_knows() -> None:
    told = progress.line("Backing up", "sent", Reading(entries=1234, logical_bytes=1024), seconds=0.0)
    assert told == "Backing up 1,234 entries, 1.0 KiB, sent 0 B, 0 B/s"


def test_a_log_gets_lines_and_no_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.02)
    meter = Meter()
    with progress.shown(meter, "Restoring", "read", silent=False):
        meter.advance(1, 10, b"x")
        time.sleep(0.1)
    err = capsys.readouterr().err
    assert "Restoring 1 entries, 10 B" in err
    assert "\x1b" not in err


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "BAR_SECONDS", 0.02)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    meter = Meter()
    meter.expect(8, 2 << 20)
    with progress.shown(meter, "Backing up", "sent", silent=False):
        meter.advance(4, 1 << 20, b"folder/\xff[red]\x1b")
        time.sleep(0.2)
    err = capsys.readouterr().err
    assert re.search(
        r"4/8 entries .* 1\.0/2\.1 MiB|4/8 entries .* 1\.0/2\.0 MiB", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)
    )
    assert r"folder/\xff[red]\x1b" in err


def test_with_json_there_is_no_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.01)
    with progress.shown(Meter(), "Restoring", "read", silent=True):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_counts_from_many_threads_add_up() -> None:
    meter = Meter()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(meter.advance, 1, 10, b"x")
            pool.submit(meter.sent, 5)
    assert meter.read() == Reading(entries=200, logical_bytes=2000, sent_bytes=1000, path=b"x")


def test_utc_is_what_is_shown() -> None:
    assert plain(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
