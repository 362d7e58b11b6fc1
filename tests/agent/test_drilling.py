"""`hort drill` and `hort check --read-data=5%` by the command line."""

import json
from pathlib import Path

from agent.cli.exits import Exit
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import StandIn


def test_a_drill_is_reported_to_the_service_and_leaves_nothing_behind(
    hort: Hort, tmp_path: Path, source: Path, stand_in: StandIn
) -> None:
    hort("register", *signing_in(stand_in, tmp_path))
    hort("backup", str(source))
    (tmp_path / "room").mkdir()
    done = hort("drill", "--folder", str(tmp_path / "room"), "--json").document
    assert done["reported"]
    assert done["report"]["files"] == 4
    [told] = stand_in.drills
    assert (told["passed"], told["files"], told["snapshot"]) == (True, 4, done["report"]["session"])
    assert "letter" not in json.dumps(told)
    assert not list((tmp_path / "room").iterdir())


def test_a_drill_works_without_the_service(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    said = hort("drill", "--files", "2", "--vault", vault).out
    assert "2 files restored and found to be the same, byte for byte" in said
    for pack in (tmp_path / "vault/d").rglob("?" * 64):
        if pack.stat().st_size > 200_000:
            pack.unlink()
    assert "NOT passed" in hort("drill", "--vault", vault, code=Exit.DAMAGED).out


def test_a_check_takes_a_share(hort: Hort, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    whole = hort("check", "latest", "--read-data", "--vault", vault, "--json").document
    share = hort("check", "--read-data=5%", "latest", "--vault", vault, "--json").document
    assert 0 < share["read_bytes"] < whole["read_bytes"]
    for wrong in ("5", "0%", "101%", "much%"):
        hort("check", f"--read-data={wrong}", "--vault", vault, code=Exit.USAGE)
