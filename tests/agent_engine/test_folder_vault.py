import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.folder_vault import MARKER, FolderVault, VaultFull, account_of
from agent.vault import CommitOrder, VaultObjectMissing
from shared.domain.commits import Statistics
from shared.domain.errors import Conflict, Malformed, NotFound
from shared.domain.ids import AccountId, SessionId
from shared.format.errors import BadSignature, Damaged
from shared.format.names import PackName
from shared.format.slots import RECOVERY_SLOT
from tests.agent_engine.house import ACCOUNT, DEVICE, House, fill, look

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def pack_name(session: SessionId) -> PackName:
    return PackName(session, "a" * 64)


def test_the_folder_says_whose_vault_it_is(house: House) -> None:
    house.vault()
    assert account_of(house.vault_root) == ACCOUNT


def test_another_accounts_vault_is_refused(house: House) -> None:
    house.vault()
    with pytest.raises(Conflict):
        FolderVault.open(house.vault_root, AccountId("01kdvdna000000000000000009"), DEVICE, KEY)


def test_a_folder_with_other_things_in_it_is_no_vault(house: House) -> None:
    fill(house.vault_root, {"holiday.jpg": b""})
    with pytest.raises(NotFound):
        house.vault()
    fill(house.vault_root, {MARKER: b"hort vault 2\n01kdvdna000000000000000000\n"})
    with pytest.raises(Malformed, match="version"):
        house.vault()


def test_objects_are_created_and_never_overwritten(house: House) -> None:
    vault = house.vault()
    session = vault.open_session(None).session
    vault.put_pack(pack_name(session), [b"one", memoryview(b"two")])
    vault.put_pack(pack_name(session), [b"onetwo"])
    with pytest.raises(Conflict):
        vault.put_pack(pack_name(session), [b"other"])
    assert vault.session_reader(session).pack_range(pack_name(session), 2, 3) == b"etw"
    vault.put_meta("head/x", b"1")
    with pytest.raises(Conflict):
        vault.put_meta("head/x", b"2")


def test_a_pack_of_very_many_parts_is_written_whole(house: House) -> None:
    vault = house.vault()
    session = vault.open_session(None).session
    vault.put_pack(pack_name(session), [b"%06d" % n for n in range(5_000)] + [b""])
    assert vault.uploaded_packs(session) == {pack_name(session): 30_000}


def test_what_is_not_there_is_missing(house: House) -> None:
    vault = house.vault()
    reader = vault.restore_reader(None)
    for read in (
        lambda: reader.meta("head/x"),
        lambda: reader.pack_size_bytes(pack_name(SessionId("01kdvdna000000000000000009"))),
        lambda: reader.pack_range(pack_name(SessionId("01kdvdna000000000000000009")), 0, 1),
        lambda: vault.slot(RECOVERY_SLOT),
    ):
        with pytest.raises(VaultObjectMissing):
            read()


def test_a_slot_can_be_renewed(house: House) -> None:
    vault = house.vault()
    vault.put_slot(RECOVERY_SLOT, b"old")
    vault.put_slot(RECOVERY_SLOT, b"new")
    assert vault.slot(RECOVERY_SLOT) == b"new"


def test_a_commit_is_refused_without_an_open_session_or_with_other_refs(house: House) -> None:
    fill(house.source, {"a": b"1"})
    session = house.backup().session
    vault = house.vault()
    with pytest.raises(Conflict, match="not open"):
        vault.commit(CommitOrder(SessionId("01kdvdna000000000000000009"), "0" * 64, Statistics()))
    other = vault.open_session(None).session
    text = (house.vault_root / "m/refs" / session).read_bytes()
    vault.put_meta(f"refs/{other}", text)
    with pytest.raises(Conflict, match="announced"):
        vault.commit(CommitOrder(other, "0" * 64, Statistics()))


def test_refs_of_another_device_are_refused(house: House) -> None:
    fill(house.source, {"a": b"1"})
    stranger = FolderVault.open(house.vault_root, ACCOUNT, DEVICE, Ed25519PrivateKey.generate())
    session = house.backup(stranger).session
    (house.vault_root / "committed" / session).unlink()
    (house.vault_root / "open" / session).touch()
    text = (house.vault_root / "m/refs" / session).read_bytes()
    with pytest.raises(BadSignature):
        house.vault().commit(CommitOrder(session, hashlib.sha256(text).hexdigest(), Statistics()))


def test_an_abandoned_session_leaves_nothing_and_a_snapshot_is_never_abandoned(house: House) -> None:
    fill(house.source, {"a": b"1"})
    session = house.backup().session
    vault = house.vault()
    other = vault.open_session(None).session
    vault.put_pack(pack_name(other), [b"x"])
    vault.put_meta(f"head/{other}", b"x")
    vault.abandon(other)
    vault.abandon(session)
    assert not [path for path in house.vault_root.rglob("*") if path.name == other]
    assert house.restored() == look(house.source)


def test_a_damaged_commit_record_is_named(house: House) -> None:
    fill(house.source, {"a": b"1"})
    session = house.backup().session
    (house.vault_root / "committed" / session).write_bytes(b"{")
    with pytest.raises(Damaged, match=f"committed/{session}"):
        house.vault().snapshots()


def test_a_full_disk_is_a_clear_error_and_nothing_is_half_done(house: House, little_disk: Path) -> None:
    fill(house.source, {f"{n}": os.urandom(500_000) for n in range(12)})
    vault = FolderVault.open(little_disk / "vault", ACCOUNT, DEVICE, KEY)
    with pytest.raises(VaultFull, match="full"):
        house.backup(vault)
    assert not list(little_disk.rglob("*.new"))
    assert vault.snapshots() == []
    for pack in (little_disk / "vault/d").glob("*/*"):
        assert pack.name == sha256(pack)
    subprocess.run(["mount", "-o", "remount,size=32m", str(little_disk)], check=True, timeout=20)
    report = house.backup(vault)
    assert report.resumed
    assert len(vault.snapshots()) == 1


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
