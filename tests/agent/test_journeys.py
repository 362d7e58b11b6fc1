"""From the first backup to the last restore, by the command line alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from agent.lock import only_run
from demo.compare import compare
from tests.agent.command_line import REPOSITORY, Hort, kit_of, signing_in
from tests.agent.conftest import wait_until
from tests.agent.stand_in import Fault, How, StandIn


def test_a_vault_in_a_folder_goes_all_the_way(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    first = hort("backup", str(source), "--vault", vault, "--json").document
    assert (first["files"], first["directories"], first["skipped"]) == (5, 2, [])
    (source / "letter").write_text("dear reader, again")
    second = hort("backup", str(source), "--vault", vault, "--json").document
    assert second["sent_bytes"] < 20_000 < first["sent_bytes"]

    listed = hort("snapshots", "--vault", vault, "--json").document["snapshots"]
    assert [each["session"] for each in listed] == [first["session"], second["session"]]
    hort("restore", "latest", "--target", str(tmp_path / "new"), "--vault", vault)
    assert compare(source, tmp_path / "new" / source.relative_to("/")) == []
    hort("restore", first["session"], f"{source}/letter", "--target", str(tmp_path / "old"), "--vault", vault)
    old = tmp_path / "old" / source.relative_to("/")
    assert [path.name for path in old.iterdir()] == ["letter"]
    assert (old / "letter").read_text() == "dear reader"
    assert hort("check", "--read-data", "--vault", vault, "--json").document["damaged"] == []


def test_a_listing_shows_every_name_and_hides_no_byte(hort: Hort, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    entries = hort("ls", "latest", str(source), "--vault", vault, "--json").document["entries"]
    by_name = {Path(each["path"]).name: each for each in entries}
    assert set(by_name) == {"source", "below", "image", "letter", "link", "\\xff", "bell\\x07"}
    assert by_name["letter"]["size_bytes"] == 11
    assert by_name["letter"]["path_base64"] is None
    assert by_name["\\xff"]["path_base64"] is not None
    assert (by_name["link"]["kind"], by_name["link"]["target"]) == ("symlink", "letter")
    assert by_name["below"]["mode"].startswith("d")
    text = hort("ls", "latest", str(source / "link"), "--vault", vault).out
    assert text.rstrip().endswith("link -> letter")
    assert "\a" not in hort("ls", "latest", "--vault", vault).out


def test_a_file_that_exists_is_left_alone_unless_told_otherwise(hort: Hort, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    (source / "letter").write_text("newer")
    said = hort("restore", "latest", f"{source}/letter", "--in-place", "--vault", vault, code=Exit.INCOMPLETE)
    assert "letter" in said.out
    assert (source / "letter").read_text() == "newer"
    hort("restore", "latest", f"{source}/letter", "--in-place", "--overwrite", "always", "--vault", vault)
    assert (source / "letter").read_text() == "dear reader"


def test_a_flipped_byte_is_named_and_the_rest_is_restored(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    packs = sorted((tmp_path / "vault" / "d").rglob("?" * 64), key=lambda path: path.stat().st_size)
    spoilt = bytearray(packs[-1].read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    packs[-1].write_bytes(spoilt)
    found = hort("check", "--read-data", "--vault", vault, "--json", code=Exit.DAMAGED).document
    assert found["damaged"]
    target = tmp_path / "new"
    said = hort("restore", "latest", "--target", str(target), "--vault", vault, "--json", code=Exit.INCOMPLETE)
    assert [Path(each["path"]).name for each in said.document["damaged"]] == ["image"]
    assert (target / source.relative_to("/") / "letter").read_text() == "dear reader"


def test_a_returned_disk_opens_with_the_kit_and_no_service(
    hort: Hort, tmp_path: Path, source: Path, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = hort("init", "--vault", vault, "--json").document["fingerprint"]
    hort("backup", str(source), "--vault", vault)
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "another"))
    joined = hort("recover", "--vault", vault, "--kit", str(kit_of(tmp_path)), "--json").document
    assert (joined["fingerprint"], joined["kit"]) == (fingerprint, None)
    hort("restore", "latest", "--target", str(tmp_path / "new"), "--vault", vault)
    assert (tmp_path / "new" / source.relative_to("/") / "letter").read_text() == "dear reader"


def test_the_service_goes_all_the_way_to_a_new_device(
    hort: Hort, tmp_path: Path, source: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = signing_in(stand_in, tmp_path)
    joined = hort("register", *who, "--name", "laptop", "--kit", "kit.txt", "--json").document
    assert joined["kit"] == str(tmp_path / "kit.txt")
    done = hort("backup", str(source), "--json").document
    status = hort("status", "--json").document
    assert (status["name"], status["fingerprint"]) == ("laptop", joined["fingerprint"])
    assert (status["unfinished_session"], status["trouble"]) == (None, None)
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "another"))
    hort("recover", *who, "--kit", "kit.txt")
    hort("restore", done["session"][:12], "--target", "new")
    assert compare(source, tmp_path / "new" / source.relative_to("/")) == []


def test_a_seed_disk_of_a_registered_device_opens_with_the_accounts_kit(
    hort: Hort, tmp_path: Path, source: Path, vault: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    hort("register", *signing_in(stand_in, tmp_path), "--kit", "kit.txt")
    assert hort("init", "--vault", vault, "--json").document["account"] == stand_in.account
    hort("backup", str(source), "--vault", vault)
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "another"))
    hort("recover", "--vault", vault, "--kit", "kit.txt")
    assert len(hort("snapshots", "--vault", vault, "--json").document["snapshots"]) == 1


def test_registering_again_takes_up_the_kit_of_a_crashed_try(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    first = hort("register", *who, "--json").document
    (tmp_path / "home" / "config" / "device.json").unlink()
    assert hort("register", *who, "--json").document["fingerprint"] == first["fingerprint"]


def test_another_run_is_not_disturbed(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    with only_run(tmp_path / "home" / "config" / "lock"):
        hort("backup", str(source), "--vault", vault, code=Exit.BUSY)
        assert hort("status", "--json").document["running"] is True
        hort("snapshots", "--vault", vault)


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "agent", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "HORT_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_goes_on_with_its_session(
    hort: Hort, tmp_path: Path, stand_in: StandIn, number: signal.Signals
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for each in range(2):
        (source / f"image {each}").write_bytes(os.urandom(36_000_000))
    hort("register", *signing_in(stand_in, tmp_path))
    with start(tmp_path / "home", "backup", str(source), "--json") as run:
        wait_until(lambda: len(stand_in.packs) >= 1)
        # Storage goes away, so that the run is interrupted while it waits to try again.
        stand_in.faults = [Fault("/blobs/", How.ANSWER, 503)] * 1000
        wait_until(lambda: len(stand_in.faults) < 1000)
        run.send_signal(number)
        out, err = run.communicate(timeout=10)
    assert (run.returncode, "Traceback" in err) == (Exit.INTERRUPTED, False), err
    assert json.loads(out)["error"]["reason"] == "interrupted"
    stand_in.faults.clear()
    finished = dict(stand_in.packs)
    assert hort("status", "--json").document["unfinished_session"] == next(iter(stand_in.sessions))
    requests_before = len(stand_in.requests)
    assert hort("backup", str(source), "--json").document["resumed"]
    assert len(stand_in.sessions) == len(stand_in.snapshots) == 1
    uploads = [request for request in stand_in.requests[requests_before:] if request.startswith("PUT /blobs/d-")]
    assert uploads
    assert not [pack for pack in finished if any(pack in upload for upload in uploads)]


def test_output_that_nobody_reads_any_more_is_no_error(tmp_path: Path, hort: Hort, vault: str) -> None:
    source = tmp_path / "many"
    source.mkdir()
    for each in range(3000):
        (source / f"{each:0200}").touch()
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    with start(tmp_path / "home", "ls", "latest", "--vault", vault) as run:
        assert run.stdout is not None
        assert run.stdout.readline()
        run.stdout.close()
        assert run.stderr is not None
        assert run.stderr.read() == ""
    assert run.returncode == Exit.FAILED


def test_a_terminal_without_unicode_gets_escapes(
    tmp_path: Path, hort: Hort, vault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "M\u00fcnchen").touch()
    hort("init", "--vault", vault)
    hort("backup", str(tmp_path / "M\u00fcnchen"), "--vault", vault)
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    with start(tmp_path / "home", "ls", "latest", "--vault", vault) as run:
        out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (Exit.OK, "")
    assert r"M\xfcnchen" in out


def test_status_works_where_nobody_may_write(hort: Hort, tmp_path: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    home = tmp_path / "home"
    for command in (["mount", "--bind", str(home), str(home)], ["mount", "-o", "remount,bind,ro", str(home)]):
        if subprocess.run(command, check=False, timeout=20, capture_output=True).returncode:
            pytest.skip("this machine does not let us mount")
    try:
        assert hort("status", "--json").document["running"] is False
    finally:
        subprocess.run(["umount", str(home)], check=True, timeout=20)
