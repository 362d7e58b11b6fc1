"""Key files of this machine: private, whole, and made once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from shared.domain.ids import AccountId
from shared.keys.local import LocalKeys

ACCOUNT = AccountId.make(datetime(2026, 11, 21, tzinfo=UTC), b"account...")


def test_nobody_else_may_read_a_key(tmp_path: Path) -> None:
    keys = LocalKeys(tmp_path / "keys")
    version = keys.create(ACCOUNT)
    folder = tmp_path / "keys" / ACCOUNT
    assert [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()] == [(f"{version}.json", 0o600)]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_of_many_that_make_a_key_at_once_one_stays(tmp_path: Path) -> None:
    keys = LocalKeys(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        versions = set(pool.map(keys.create, [ACCOUNT] * 4))
    assert len(versions) == 1
    [path] = (tmp_path / ACCOUNT).iterdir()
    assert path.stem in versions
