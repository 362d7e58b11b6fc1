"""Sweeps beside running backups, with real processes that are killed: nothing that is kept is ever lost (C7, N3)."""

import random
from pathlib import Path

from tests.scenarios.soak import soaking


def test_what_is_kept_survives_sweeps_and_kills_byte_for_byte_and_nothing_else_is_left(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # pytest shows it when the test fails
    with soaking(tmp_path, seed) as soak:
        soak.run(seconds=0)
        scratch = tmp_path / "back"
        scratch.mkdir()
        assert soak.faults(scratch) == [], str(soak)
        assert any(report.deleted_packs for report in soak.anna.sweep_reports(soak.customer)), "no sweep did anything"
