"""The benchmark itself: it measures what it says, on inputs that are the same every time."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from bench import data_path, measure
from bench.inputs import Case, cases

PHASES = ["first", "unchanged", "edited", "restore", "one file", "check"]


def _digest(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(bytes(path.relative_to(root)) + path.read_bytes() for path in files)).hexdigest()


@pytest.mark.parametrize("case", cases(0.0005), ids=lambda case: case.name)
def test_an_input_is_the_same_every_time_and_so_is_its_edit(case: Case, tmp_path: Path) -> None:
    seen = list[tuple[str, str]]()
    for name in ("one", "other"):
        case.build(tmp_path / name)
        fresh = _digest(tmp_path / name)
        case.edit(tmp_path / name, 1)
        seen.append((fresh, _digest(tmp_path / name)))
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[0][1]
    assert (tmp_path / "one" / case.one).is_file()


def test_the_small_benchmark_measures_every_phase(tmp_path: Path) -> None:
    """Ours alone: other programs need not be on this machine."""
    plan = ["--small", "--targets", "folder", "--cases", "tree", "--work", str(tmp_path)]
    files = ["--output", str(tmp_path / "rows.json"), "--picture", str(tmp_path / "rows.svg")]
    assert data_path.main([*plan, *files, "--restic", "", "--borg", ""]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["phase"] for row in rows] == PHASES
    assert all(row["tool"] == "hort" and row["seconds"] > 0 and row["peak_rss_mb"] > 0 for row in rows)
    first, unchanged = rows[0], rows[1]
    assert first["bytes_sent"] > 10 * unchanged["bytes_sent"] > 0
    assert (tmp_path / "rows.svg").read_text().count("<rect") > len(PHASES)


def test_a_program_costs_what_it_takes_itself(tmp_path: Path) -> None:
    """Not what the measuring process holds in memory."""
    ballast = bytearray(200 << 20)
    command = measure.Command([sys.executable, "-S", "-c", "sum(range(3_000_000))"])
    cost = measure.run(command, tmp_path / "log")
    assert cost.peak_rss_mb < len(ballast) / 1e6 / 2
    assert 0 < cost.cpu_seconds <= cost.seconds * 2


def test_a_program_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(measure.Failed, match="no such vault"):
        measure.run(measure.Command([sys.executable, "-c", "raise SystemExit('no such vault')"]), tmp_path / "log")
