"""The simulation of many days: it expires what it says, and every snapshot that is kept stays whole."""

import json
from pathlib import Path

from agent.engine.check import check
from agent.engine.orders import CheckOrder, Silence
from bench import renewal
from bench.renewal import ACCOUNT, DEVICE, HABITS, KEYS, Life, live


def test_what_is_kept_is_whole_and_what_is_stored_is_never_less_than_what_is_needed(tmp_path: Path) -> None:
    life = Life(0.1, HABITS[0].name, renewal=True)
    live(tmp_path, life, HABITS[0], days=18, files=120)
    assert all(stored >= needed > 0 for stored, needed in zip(life.stored, life.live, strict=True))
    key = renewal.Ed25519PrivateKey.from_private_bytes(bytes(32))
    vault = renewal.SweptVault.open(tmp_path / "vault", ACCOUNT, DEVICE, key)
    report = check(CheckOrder(read_data=True), vault, KEYS, Silence())
    assert (report.snapshots, report.damaged) == (renewal.KEPT_DAYS, ())


def test_the_simulation_compares_each_device_with_its_twin(tmp_path: Path) -> None:
    files = ["--output", str(tmp_path / "lives.json"), "--picture", str(tmp_path / "lives.svg")]
    assert renewal.main(["--days", "2", "--files", "100", "--work", str(tmp_path), *files]) == 0
    lives = json.loads((tmp_path / "lives.json").read_text())
    assert [life["renewal"] for life in lives] == [False, True] * 4
    assert all(life["upload_to_upload_without_renewal"] == 1.0 for life in lives if not life["renewal"])
    assert (tmp_path / "lives.svg").read_text().count("<polyline") == 2 * len(lives)
