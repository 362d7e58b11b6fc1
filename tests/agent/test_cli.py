"""The command line: what it prints, what it ends with, and that expected errors are sentences."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.cli import joining, standing, vaults
from agent.cli.app import app
from agent.cli.exits import Exit
from agent.lock import only_run
from tests.agent.conftest import SHORT
from tests.agent.stand_in import LOGIN, PASSWORD, Fault, How, StandIn

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        return json.loads(self.out)


type Hort = Callable[..., Said]


@pytest.fixture
def hort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hort:
    """Runs a command in a home of its own, with a patience that fits a test."""
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HORT_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)
    for module in (joining, vaults, standing):
        monkeypatch.setattr(module, "Patience", lambda: SHORT)
    monkeypatch.setattr(standing, "SHORT", SHORT)

    def run(*arguments: str, code: Exit = Exit.OK) -> Said:
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), prog_name="hort")
        out, err = capsys.readouterr()
        assert ended.value.code == code, out + err
        assert "Traceback" not in err
        return Said(code, out, err)

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "below").mkdir(parents=True)
    (folder / "letter").write_text("dear reader")
    (folder / "below" / "image").write_bytes(os.urandom(300_000))
    (folder / "link").symlink_to("letter")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"no text")
    (folder / "bell\a").write_bytes(b"")
    return folder


@pytest.fixture
def vault(tmp_path: Path) -> str:
    return f"file://{tmp_path}/vault"


def signing_in(stand_in: StandIn, tmp_path: Path) -> list[str]:
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    return ["--service", stand_in.url, "--login", LOGIN, "--password-file", str(password)]


def kit_of(folder: Path) -> Path:
    [kit] = folder.glob("hort-recovery-kit-*.txt")
    return kit


def test_a_vault_in_a_folder_goes_all_the_way(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    from demo.compare import compare

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
    from demo.compare import compare

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


def test_a_typo_in_the_recovery_key_is_located(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    hort("register", *who, "--kit", "kit.txt")
    lines = (tmp_path / "kit.txt").read_text().splitlines()
    groups = "-".join(line.split(":")[1].strip() for line in lines if line.startswith("  Groups")).split("-")
    groups[6] = ("0" if groups[6][0] != "0" else "1") + groups[6][1:]
    (tmp_path / "home" / "config" / "device.json").unlink()
    said = hort("recover", *who, "--recovery-key", "-".join(groups), code=Exit.WRONG_KEY)
    assert f"group 7 ({groups[6]}) was not copied right" in said.err
    right = "00000-" * 13
    said = hort("recover", *who, "--recovery-key", right, "--json", code=Exit.WRONG_KEY)
    assert said.document["error"]["reason"] == "wrong-key"


def test_a_key_of_another_account_is_told(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    from shared.format.recovery import kit_code

    who = signing_in(stand_in, tmp_path)
    hort("register", *who)
    (tmp_path / "home" / "config" / "device.json").unlink()
    said = hort("recover", *who, "--recovery-key", kit_code(bytes(32)), code=Exit.WRONG_KEY)
    assert "does not belong to this account" in said.err


def test_registering_again_takes_up_the_kit_of_a_crashed_try(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    first = hort("register", *who, "--json").document
    (tmp_path / "home" / "config" / "device.json").unlink()
    assert hort("register", *who, "--json").document["fingerprint"] == first["fingerprint"]


@pytest.mark.parametrize(
    "command", ["backup .", "snapshots", "ls latest", "restore latest --in-place", "check", "status"]
)
def test_a_device_that_is_not_registered_is_told_so(hort: Hort, command: str) -> None:
    arguments = command.split()
    said = hort(*arguments, code=Exit.NOT_AUTHORISED)
    assert "hort register" in said.err
    document = hort(*arguments, "--json", code=Exit.NOT_AUTHORISED).document
    assert document["error"] == {"code": 4, "reason": "not-authorised", "message": said.err.strip()[6:]}


def test_a_wrong_password_is_not_authorised(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    (tmp_path / "password").write_text("wrong")
    assert "password is wrong" in hort("register", *who, code=Exit.NOT_AUTHORISED).err


def test_a_password_may_come_from_the_environment(
    hort: Hort, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HORT_PASSWORD", PASSWORD)
    hort("register", "--service", stand_in.url, "--login", LOGIN)


def test_nobody_to_ask_is_an_error_and_not_a_hang(hort: Hort, stand_in: StandIn) -> None:
    said = hort("register", "--service", stand_in.url, "--login", LOGIN, code=Exit.FAILED)
    assert "--password-file or HORT_PASSWORD" in said.err


def test_a_service_that_does_not_answer_is_unreachable(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    hort("register", *signing_in(stand_in, tmp_path))
    stand_in.faults = [Fault("/api/v1/", How.ANSWER, 503)] * 10_000
    said = hort("snapshots", code=Exit.UNREACHABLE)
    assert "cannot be reached: it answers 503" in said.err
    status = hort("status", "--json", code=Exit.UNREACHABLE).document
    assert status["at_the_service"] is None
    assert "503" in status["trouble"]


def test_another_run_is_not_disturbed(hort: Hort, tmp_path: Path, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    with only_run(tmp_path / "home" / "config" / "lock"):
        hort("backup", str(source), "--vault", vault, code=Exit.BUSY)
        assert hort("status", "--json").document["running"] is True
        hort("snapshots", "--vault", vault)


def test_a_second_registration_is_refused(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    hort("register", *who)
    assert "is registered" in hort("register", *who, code=Exit.FAILED).err


def test_a_snapshot_that_is_not_there_is_told(hort: Hort, vault: str) -> None:
    hort("init", "--vault", vault)
    assert "no snapshots yet" in hort("ls", "latest", "--vault", vault, code=Exit.FAILED).err
    assert "names no snapshots" in hort("ls", "01zzzzzz", "--vault", vault, code=Exit.FAILED).err


def test_reading_makes_no_vault(hort: Hort, tmp_path: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    (tmp_path / "empty").mkdir()
    hort("snapshots", "--vault", str(tmp_path / "empty"), code=Exit.FAILED)
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup",),
        ("restore", "latest"),
        ("restore", "latest", "--target", "x", "--in-place"),
        ("restore", "latest", "--target", "x", "--overwrite", "perhaps"),
        ("backup", ".", "--threads", "0"),
        ("snapshots", "--colour"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_what_was_not_understood_is_a_usage_error(hort: Hort, arguments: tuple[str, ...]) -> None:
    hort(*arguments, code=Exit.USAGE)


@pytest.mark.parametrize("url", ["http://example.com/vault", "file://host/vault", ""])
def test_a_vault_url_that_is_none_is_a_usage_error(hort: Hort, vault: str, url: str) -> None:
    hort("init", "--vault", vault)
    hort("snapshots", "--vault", url, code=Exit.USAGE)


def test_the_exit_codes_never_change() -> None:
    assert {code.word: code.value for code in Exit} == {
        "ok": 0,
        "failed": 1,
        "usage": 2,
        "incomplete": 3,
        "not-authorised": 4,
        "unreachable": 5,
        "wrong-key": 6,
        "busy": 7,
        "damaged": 8,
        "interrupted": 130,
    }


def test_every_exit_code_is_in_the_manual() -> None:
    manual = (REPOSITORY / "docs" / "agent.md").read_text()
    assert [code for code in Exit if f"| {code.value} | {code.word} |" not in manual] == []


def test_the_version_is_told(hort: Hort) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert hort("version", "--json").document == {"version": project["version"]}


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


def test_help_loads_nothing_it_does_not_need() -> None:
    heavy = {"pydantic", "urllib3", "cryptography", "rich.progress", "agent.engine"}
    code = f"import sys, agent.__main__; print({heavy} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)
