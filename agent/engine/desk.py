"""The agent's own folder for one account: what it remembers between runs, and one run at a time."""

import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import blake3

from shared.domain.errors import Conflict
from shared.domain.ids import SessionId
from shared.format.keys import VaultKeys


class Desk:
    """Where cache and journal of an account lie. Losing the folder costs time, never data."""

    def __init__(self, cache_dir: Path, keys: VaultKeys, roots: Sequence[bytes]) -> None:
        self.folder = cache_dir / keys.account
        self._source = blake3.blake3(b"\0".join(roots), key=keys.local).hexdigest(8)

    @property
    def files(self) -> Path:
        """What was known of these roots when they were last committed."""
        return self.folder / f"files-{self._source}"

    def pending(self, session: SessionId) -> Path:
        """The same, of a session that is not committed yet."""
        return self.folder / f"files-{self._source}.{session}"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def usage(self) -> Path:
        """How these roots' last snapshot uses what is stored."""
        return self.folder / f"usage-{self._source}"

    @property
    def indexes(self) -> Path:
        """Sealed index segments as they lie in the vault, so that they are fetched once."""
        return self.folder / "indexes"

    def promote(self, session: SessionId) -> None:
        """What was pending is what was committed, whatever roots it was of."""
        for pending in self.folder.glob(f"files-*.{session}"):
            pending.replace(pending.with_suffix(""))

    def sweep(self) -> None:
        """Leftovers of runs that ended early."""
        for stray in self.folder.glob("files-*.*"):
            stray.unlink(missing_ok=True)

    @contextmanager
    def mine_alone(self) -> Generator[None]:
        """Makes the folder. Raises `Conflict` while another run of this account is under way on this device."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Conflict("another backup of this account is running on this device") from None
        finally:
            os.close(handle)
