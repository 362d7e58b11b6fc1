"""The command line: exit codes, and expected errors that are sentences."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from tests.agent.command_line import REPOSITORY, Hort, signing_in
from tests.agent.stand_in import LOGIN, PASSWORD, Fault, How, StandIn


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


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_password_file_that_holds_none_is_a_usage_error(
    hort: Hort, tmp_path: Path, stand_in: StandIn, content: bytes
) -> None:
    who = signing_in(stand_in, tmp_path)
    (tmp_path / "password").write_bytes(content)
    hort("register", *who, code=Exit.USAGE)


@pytest.mark.parametrize("name", [" ", "two\nlines", "x" * 121])
def test_a_name_that_cannot_be_is_a_usage_error(hort: Hort, tmp_path: Path, stand_in: StandIn, name: str) -> None:
    assert "1 to 120" in hort("register", *signing_in(stand_in, tmp_path), "--name", name, code=Exit.USAGE).err
    assert not stand_in.devices


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


def test_a_second_registration_is_refused(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    who = signing_in(stand_in, tmp_path)
    hort("register", *who)
    assert "is registered" in hort("register", *who, code=Exit.FAILED).err


def test_a_snapshot_that_is_not_there_is_told(hort: Hort, vault: str) -> None:
    hort("init", "--vault", vault)
    assert "no snapshots yet" in hort("ls", "latest", "--vault", vault, code=Exit.FAILED).err
    assert "names no snapshots" in hort("ls", "01zzzzzz", "--vault", vault, code=Exit.FAILED).err
    assert "give at least 6 characters" in hort("ls", "01z", "--vault", vault, code=Exit.FAILED).err


def test_a_path_that_is_not_in_the_snapshot_is_told(hort: Hort, source: Path, vault: str) -> None:
    hort("init", "--vault", vault)
    hort("backup", str(source), "--vault", vault)
    said = hort("ls", "latest", str(source / "nowhere"), "--vault", vault, "--json", code=Exit.FAILED)
    assert said.document["error"]["message"].endswith("nowhere is not in the snapshot")


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


def test_help_loads_nothing_it_does_not_need() -> None:
    heavy = {"pydantic", "urllib3", "cryptography", "rich.progress", "agent.engine"}
    code = f"import sys, agent.__main__; print({heavy} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
