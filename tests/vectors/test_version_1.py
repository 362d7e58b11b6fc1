"""What version 1 wrote opens for ever: these bytes are never made anew."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.engine.check import check
from agent.engine.listing import list_items
from agent.engine.orders import CheckOrder, RestoreOrder, Silence
from agent.engine.restore import restore
from agent.folder_vault import FolderVault, account_of
from shared.domain.ids import AccountId, DeviceId
from shared.format import refs
from shared.format.chunks import ChunkKind, chunk_id, open_chunk
from shared.format.items import ItemKind
from shared.format.keys import VaultKeys
from shared.format.recovery import kit_code, parse_kit_code
from shared.format.slots import RECOVERY_SLOT, open_device, open_passphrase, open_recovery
from tests.vectors.make import FILES, MTIME_NS

HERE = Path(__file__).parent / "v1"
FACTS: dict[str, Any] = json.loads((HERE / "vectors.json").read_text())
SLOTS: dict[str, str] = json.loads((HERE / "slots.json").read_text())
ACCOUNT = AccountId(FACTS["account"])
KEYS = VaultKeys.derive(bytes.fromhex(FACTS["master_key"]), ACCOUNT)


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    shutil.copytree(HERE / "vault", tmp_path / "vault")
    return FolderVault.open(tmp_path / "vault", ACCOUNT, DeviceId(FACTS["device"]), Ed25519PrivateKey.generate())


def test_the_kit_code_and_the_fingerprint_stay_the_same() -> None:
    assert kit_code(bytes.fromhex(FACTS["recovery_key"])) == FACTS["kit_code"]
    assert parse_kit_code(FACTS["kit_code"]).hex() == FACTS["recovery_key"]
    assert KEYS.fingerprint == FACTS["fingerprint"]


def test_the_recovery_slot_opens() -> None:
    master = open_recovery(bytes.fromhex(FACTS["recovery_slot"]), bytes.fromhex(FACTS["recovery_key"]), ACCOUNT)
    assert master.hex() == FACTS["master_key"]


def test_the_passphrase_slot_opens() -> None:
    master = open_passphrase(bytes.fromhex(SLOTS["passphrase_slot"]), SLOTS["passphrase"], ACCOUNT)
    assert master.hex() == FACTS["master_key"]


def test_the_device_slot_opens() -> None:
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(SLOTS["device_private_key"]))
    assert open_device(bytes.fromhex(SLOTS["device_slot"]), key, ACCOUNT).hex() == FACTS["master_key"]


@pytest.mark.parametrize("vector", FACTS["chunks"], ids=lambda vector: f"{vector['kind']}-{vector['id'][:8]}")
def test_chunks_have_the_same_ids_and_open(vector: dict[str, Any]) -> None:
    kind, plain, name = ChunkKind(vector["kind"]), bytes.fromhex(vector["plain"]), bytes.fromhex(vector["id"])
    assert chunk_id(KEYS, kind, plain) == name
    assert open_chunk(KEYS, kind, name, bytes.fromhex(vector["sealed"]), len(plain)) == plain


def test_the_refs_bear_the_devices_signature(vault: FolderVault) -> None:
    [info] = vault.snapshots()
    text = vault.restore_reader(None).meta(f"refs/{info.session}")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(FACTS["device_public_key"]))
    assert refs.decode(text, key).session == info.session


def test_the_whole_vault_checks_and_restores(vault: FolderVault, tmp_path: Path) -> None:
    """With the recovery kit alone, as on the day when everything else is lost."""
    account = account_of(vault.root)
    keys = VaultKeys.derive(
        open_recovery(vault.slot(RECOVERY_SLOT), parse_kit_code(FACTS["kit_code"]), account), account
    )
    [info] = vault.snapshots()
    assert check(CheckOrder(read_data=True), vault, keys, Silence()).damaged == ()
    report = restore(RestoreOrder(info.session, tmp_path / "out"), vault.restore_reader(None), keys, Silence())
    assert report.complete
    [source] = (tmp_path / "out").glob("tmp/hort-vectors/source")
    for name, data in FILES.items():
        path = source / Path(name.decode("utf-8", "surrogateescape"))
        assert path.read_bytes() == data
        assert (path.stat().st_mode & 0o7777, path.stat().st_mtime_ns) == (0o640, MTIME_NS)
    assert (source / "link").readlink() == Path("small.txt")
    assert (source / "second").stat().st_ino == (source / "small.txt").stat().st_ino


def test_the_items_are_read_as_they_were_written(vault: FolderVault) -> None:
    [info] = vault.snapshots()
    items = {item.path.rsplit(b"/", 1)[1]: item for item in list_items(vault.restore_reader(None), KEYS, info.session)}
    assert items[b"small.txt"].kind is ItemKind.HARD_LINK
    assert items[b"small.txt"].target == items[b"second"].path
    sizes = {name: item.size for name, item in items.items() if item.kind is ItemKind.FILE}
    assert sizes == {b"copy.txt": 15, b"empty": 0, b"large": 600_000, b"not text \xff": 20, b"second": 15}


def test_the_examples_in_the_document_are_the_vectors() -> None:
    document = (HERE.parents[2] / "docs/format.md").read_text()
    text, slot = (block for block in document.split("```")[1::2])
    [stored] = (HERE / "vault/m/refs").iterdir()
    assert text.strip() == stored.read_text().strip()
    written = "".join(line.split("  ")[0] for line in slot.splitlines()).replace(" ", "")
    assert bytes.fromhex(written) == (HERE / "vault" / RECOVERY_SLOT).read_bytes()
    assert FACTS["fingerprint"] in document
