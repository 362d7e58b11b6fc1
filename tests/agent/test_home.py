"""What the agent keeps: private, whole or not there, and one run at a time."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import private_files
from agent.config import Environment, Home, NotRegistered, Registration, StateDamaged, parse_service_url
from agent.lock import AnotherRun, is_held, only_run
from agent.private_files import TooOpen
from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, DeviceId

REGISTRATION = Registration(
    service="https://backup.example.com", account=AccountId("0" * 26), device=DeviceId("1" * 26), name="laptop"
)


@pytest.fixture
def careless() -> Generator[None]:
    """A process that makes files which everybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home.find(Environment(tmp_path / "home", None))
    found.make()
    return found


def test_what_is_written_is_read_again(home: Home) -> None:
    key = Ed25519PrivateKey.generate()
    home.write_device_key(key)
    home.write_master_key(bytes(range(32)))
    home.write_slot(b"sealed")
    home.write_registration(REGISTRATION)
    found = home.device_key()
    assert found is not None
    assert found.private_bytes_raw() == key.private_bytes_raw()
    assert (home.master_key(), home.slot(), home.registration()) == (bytes(range(32)), b"sealed", REGISTRATION)


@pytest.mark.usefixtures("careless")
def test_nobody_else_can_read_it(home: Home) -> None:
    home.write_device_key(Ed25519PrivateKey.generate())
    home.write_master_key(bytes(32))
    home.write_slot(b"sealed")
    home.write_registration(REGISTRATION)
    assert {path.stat().st_mode & 0o777 for path in home.config.iterdir()} == {0o600}
    assert {home.config.stat().st_mode & 0o777, home.cache.stat().st_mode & 0o777} == {0o700}


def test_a_key_that_others_can_read_is_not_used(home: Home) -> None:
    home.write_master_key(bytes(32))
    (home.config / "master.key").chmod(0o640)
    with pytest.raises(TooOpen, match="chmod 600"):
        home.master_key()


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"not hexadecimal", b"\xff" * 64])
def test_a_key_file_that_holds_no_key_is_named(home: Home, content: bytes) -> None:
    private_files.write(home.config / "master.key", content)
    with pytest.raises(StateDamaged, match=r"master\.key"):
        home.master_key()


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"format": 2}', b"\xff"])
def test_a_registration_that_is_none_is_named(home: Home, content: bytes) -> None:
    private_files.write(home.config / "device.json", content)
    with pytest.raises(StateDamaged, match=r"device\.json"):
        home.registration()


def test_nothing_there_is_not_registered(home: Home) -> None:
    with pytest.raises(NotRegistered, match="hort register"):
        home.registration()


def test_a_write_that_fails_leaves_the_old_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_master_key(bytes(32))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        home.write_master_key(bytes(range(32)))
    assert home.master_key() == bytes(32)


def test_a_draft_left_by_a_crash_is_in_nobodys_way(home: Home) -> None:
    (home.config / ".master.key.new").write_bytes(b"half")
    home.write_master_key(bytes(32))
    assert home.master_key() == bytes(32)


def test_hort_home_holds_both_folders() -> None:
    found = Home.find(Environment.read({"HORT_HOME": "/h", "HORT_PASSWORD": "p"}))
    assert (found.config, found.cache) == (Path("/h/config"), Path("/h/cache"))


def test_the_platforms_folders_are_used_otherwise() -> None:
    found = Home.find(Environment.read({}))
    assert found.config.name == found.cache.name == "hort"
    assert found.config != found.cache


def test_there_is_one_run_a_home(home: Home) -> None:
    assert not is_held(home.lock)
    with only_run(home.lock):
        assert is_held(home.lock)
        with pytest.raises(AnotherRun), only_run(home.lock):
            pass
    assert not is_held(home.lock)


def test_a_killed_run_leaves_no_lock(home: Home) -> None:
    code = f"""
from pathlib import Path
from agent.lock import only_run
with only_run(Path({str(home.lock)!r})):
    print("locked", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"locked\n"
        assert is_held(home.lock)
        run.kill()
    assert not is_held(home.lock)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ("https://backup.example.com", "https://backup.example.com"),
        ("https://backup.example.com/", "https://backup.example.com"),
        (" https://example.com:8443/hort/ ", "https://example.com:8443/hort"),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071"),
        ("http://localhost:7071/", "http://localhost:7071"),
        ("http://[::1]:7071", "http://[::1]:7071"),
        ("http://127.0.0.1:65535", "http://127.0.0.1:65535"),
    ],
)
def test_a_service_url_is_taken(told: str, url: str) -> None:
    assert parse_service_url(told) == url


@pytest.mark.parametrize(
    "told",
    [
        "",
        "backup.example.com",
        "ftp://example.com",
        "https://exa mple.com",
        "https://example.com:port",
        "https://example.com:99999",
        "https://example.com:0",
        "https://[::1",
        "https://",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "https://anna:secret@example.com",
        "https://example.com/?a=b",
    ],
)
def test_a_url_that_would_leak_or_lead_nowhere_is_refused(told: str) -> None:
    with pytest.raises(Malformed, match="service"):
        parse_service_url(told)
