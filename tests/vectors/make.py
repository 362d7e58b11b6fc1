"""Writes the frozen vectors of a format version. It ran once for version 1; what it wrote must open for ever.

Run it only for a new version, into a new folder: `python -m tests.vectors.make tests/vectors/v2`.
"""

import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.engine.backup import backup
from agent.engine.orders import BackupOrder, Silence
from agent.folder_vault import FolderVault
from shared.domain.ids import AccountId, DeviceId
from shared.format import slots
from shared.format.chunks import ChunkKind, chunk_id, seal_chunk
from shared.format.keys import VaultKeys
from shared.format.recovery import kit_code

ACCOUNT = AccountId("01kdvdna000000000000000000")
DEVICE = DeviceId("01kdvdna000000000000000002")
MASTER, RECOVERY, SIGNING = (hashlib.sha256(name).digest() for name in (b"master", b"recovery", b"signing"))
SCRATCH = Path("/tmp/hort-vectors")
MTIME_NS = 1_772_366_400_123_456_789

FILES = {
    b"empty": b"",
    b"small.txt": b"Es war einmal.\n",
    b"copy.txt": b"Es war einmal.\n",
    b"not text \xff": b"\x00\xff" * 10,
    b"folder/large": b"".join(b"%08d" % n for n in range(75_000)),
}
"""What the vault of version 1 holds, beside `link` -> `small.txt` and `second`, another name of `small.txt`."""


def stream(seed: bytes) -> Callable[[int], bytes]:
    """Randomness that is always the same."""
    counter = itertools.count()

    def entropy(length: int) -> bytes:
        return hashlib.shake_256(seed + b"%d" % next(counter)).digest(length)

    return entropy


def make_source(root: Path) -> None:
    for name, data in FILES.items():
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o640)
    (root / "link").symlink_to("small.txt")
    (root / "second").hardlink_to(root / "small.txt")
    for path in (*root.rglob("*"), root):
        os.utime(path, ns=(MTIME_NS, MTIME_NS), follow_symlinks=False)


def make_chunks(keys: VaultKeys) -> list[dict[str, object]]:
    """One of each kind, one that shrinks and one that does not."""
    entropy = stream(b"chunks")
    made: list[dict[str, object]] = []
    for kind, plain in itertools.product(ChunkKind, (b"a" * 1000, hashlib.sha256(b"noise").digest())):
        name = chunk_id(keys, kind, plain)
        sealed = seal_chunk(keys, kind, name, plain, entropy(12))
        made.append({"kind": int(kind), "id": name.hex(), "plain": plain.hex(), "sealed": sealed.hex()})
    return made


def main(folder: Path) -> None:
    folder.mkdir()
    keys = VaultKeys.derive(MASTER, ACCOUNT)
    signing = Ed25519PrivateKey.from_private_bytes(SIGNING)
    slot = slots.seal_recovery(MASTER, RECOVERY, ACCOUNT, stream(b"slot")(12))
    facts = {
        "account": ACCOUNT,
        "device": DEVICE,
        "device_public_key": signing.public_key().public_bytes_raw().hex(),
        "master_key": MASTER.hex(),
        "recovery_key": RECOVERY.hex(),
        "kit_code": kit_code(RECOVERY),
        "fingerprint": keys.fingerprint,
        "recovery_slot": slot.hex(),
        "chunks": make_chunks(keys),
    }
    (folder / "vectors.json").write_text(json.dumps(facts, indent=1) + "\n")
    vault = FolderVault.open(folder / "vault", ACCOUNT, DEVICE, signing)
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    vault = replace(vault, now=lambda: now, entropy=stream(b"vault"))
    vault.put_slot(slots.RECOVERY_SLOT, slot)
    source = SCRATCH / "source"
    source.mkdir(parents=True)
    make_source(source)
    order = BackupOrder((source,), SCRATCH / "cache", "vector", threads=1, now=lambda: now, entropy=stream(b"backup"))
    backup(order, vault, keys, Silence())
    shutil.rmtree(SCRATCH)
    (folder / "vault/open").rmdir()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
