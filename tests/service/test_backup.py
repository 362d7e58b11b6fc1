"""A backup from its opening to its restore, over plain HTTP, and all that must keep a commit from being accepted."""

import hashlib
import secrets
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.domain.ids import DeviceId, IndexName, SessionId
from shared.format.refs import IndexRef
from tests.service.client import Client
from tests.service.people import Device, Service, register
from tests.service.together import at_once
from tests.service.vault import Backup, back_up, begin, get_blob, put_blob, signature_of


def snapshots(device: Device, client: Client) -> list[str]:
    return [snapshot["id"] for snapshot in client.get(f"/accounts/{device.account}/snapshots").made(200)["items"]]


def nothing_was_committed(backup: Backup) -> None:
    """The session is still open, there is no snapshot, and the device has none to its name."""
    assert backup.client.get(backup.path).made(200)["state"] == "open"
    assert backup.id not in snapshots(backup.device, backup.client)
    backup.client.get(f"/accounts/{backup.device.account}/snapshots/{backup.id}").refused(404, "not-found")
    assert backup.client.get(backup.device.path).made(200)["last_snapshot_at"] is None


def test_a_backup_from_opening_to_restore(device: Device, admin_client: Client) -> None:
    data = secrets.token_bytes(5000)
    backup = begin(device)
    pack = backup.put_pack(data)
    assert backup.client.get(f"{backup.path}/packs").made(200)["items"] == [
        {"pack": str(pack.name), "size_bytes": 5000}
    ]
    snapshot = backup.commit(backup.prepare([pack]), files=3, logical_bytes=9000).made(200)
    assert (snapshot["id"], snapshot["device"]) == (backup.id, device.id)
    assert (snapshot["packs"], snapshot["stored_bytes"], snapshot["new_stored_bytes"]) == (1, 5000, 5000)
    assert snapshot["statistics"]["files"] == 3
    assert backup.client.get(f"/accounts/{device.account}/snapshots/{backup.id}").made(200) == snapshot
    assert admin_client.get(f"/accounts/{device.account}/snapshots").made(200)["items"] == [snapshot]
    assert backup.client.get(device.path).made(200)["last_snapshot_at"] == snapshot["committed_at"]
    restore = admin_client.post(f"/accounts/{device.account}/restores", {"snapshot": backup.id}).made()
    admin_client.secrets.add(signature_of(restore["grant"]["packs_url"]), signature_of(restore["grant"]["meta_url"]))
    assert get_blob(restore["grant"]["packs_url"], str(pack.name)).data == data
    assert get_blob(restore["grant"]["meta_url"], f"refs/{backup.id}").status == 200


def test_the_next_backup_reuses_packs_of_the_last(device: Device) -> None:
    first = back_up(device, b"old" * 100)
    second = begin(device, first.client)
    assert second.opened["live_indexes"] == [{"session": first.id, "segments": 1}]
    refs_sha256 = second.prepare([first.pack(b"old" * 100), second.put_pack(b"new" * 200)])
    snapshot = second.commit(refs_sha256).made(200)
    assert (snapshot["packs"], snapshot["new_packs"], snapshot["new_stored_bytes"]) == (2, 1, 600)


def test_a_commit_that_names_a_missing_pack_names_it_back_and_can_be_repeated(device: Device) -> None:
    backup = begin(device)
    there, missing = backup.put_pack(b"there" * 50), backup.pack(b"missing" * 50)
    refs_sha256 = backup.prepare([there, missing])
    problem = backup.commit(refs_sha256).refused(409, "packs-missing")
    assert problem["packs"] == [str(missing.name)]
    nothing_was_committed(backup)
    backup.put_pack(b"missing" * 50)
    backup.commit(refs_sha256).made(200)


def test_a_commit_that_names_a_truncated_pack_names_it_back(device: Device) -> None:
    backup = begin(device)
    whole = backup.pack(b"whole" * 50)
    assert put_blob(backup.packs_url, str(whole.name), b"whole").status == 201
    problem = backup.commit(backup.prepare([whole])).refused(409, "packs-missing")
    assert problem["packs"] == [str(whole.name)]
    assert "5 bytes instead of 250" in problem["detail"]
    nothing_was_committed(backup)


def test_packs_of_a_session_that_was_never_committed_cannot_be_reused(device: Device) -> None:
    given_up = begin(device)
    pack = given_up.put_pack(b"orphan" * 50)
    given_up.client.post(f"{given_up.path}/abandon").made(200)
    backup = begin(device, given_up.client)
    problem = backup.commit(backup.prepare([pack])).refused(409, "packs-missing")
    assert problem["packs"] == [str(pack.name)]
    nothing_was_committed(backup)


def test_a_commit_without_refs_is_refused(device: Device) -> None:
    backup = begin(device)
    backup.commit("0" * 64).refused(409, "objects-missing")
    nothing_was_committed(backup)


def test_a_commit_without_its_head_is_refused(device: Device) -> None:
    backup = begin(device)
    refs = backup.put_meta()
    backup.commit(backup.put_refs(replace(refs, head_size_bytes=refs.head_size_bytes + 1))).refused(
        409, "objects-missing"
    )
    nothing_was_committed(backup)


def test_a_commit_without_its_index_is_refused(device: Device) -> None:
    backup = begin(device)
    absent = IndexRef(IndexName(SessionId(backup.id), 1), 64)
    refs = backup.put_meta()
    refs = replace(refs, indexes=(*refs.indexes, absent))
    problem = backup.commit(backup.put_refs(refs)).refused(409, "objects-missing")
    assert f"index/{backup.id}/1" in problem["detail"]
    nothing_was_committed(backup)


def test_a_commit_with_another_hash_than_the_refs_have_is_refused(device: Device) -> None:
    backup = begin(device)
    backup.prepare([backup.put_pack(b"pack")])
    backup.commit("f" * 64).refused(400, "invalid-request", "refs_sha256")
    nothing_was_committed(backup)


def test_refs_that_another_key_signed_are_refused(device: Device) -> None:
    backup = begin(device)
    forger = replace(backup, device=replace(device, key=Ed25519PrivateKey.generate()))
    backup.commit(forger.prepare([])).refused(400, "bad-signature")
    nothing_was_committed(backup)


def test_refs_that_speak_of_another_session_are_refused(device: Device) -> None:
    old = back_up(device)
    backup = begin(device, old.client)
    refs = replace(backup.put_meta(), session=SessionId(old.id))
    backup.commit(backup.put_refs(refs)).refused(400, "invalid-request", "refs")
    assert snapshots(device, old.client) == [old.id]


def test_refs_that_speak_of_another_device_are_refused(device: Device, service: Service, admin_client: Client) -> None:
    other = register(service, admin_client, device.account)
    backup = begin(device)
    backup.commit(backup.put_refs(replace(backup.put_meta(), device=DeviceId(other.id)))).refused(
        400, "invalid-request", "refs"
    )
    nothing_was_committed(backup)


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 100, b"hort refs 1\n", b"signature " + b"A" * 88 + b"\n"])
def test_garbage_in_place_of_refs_is_refused(device: Device, garbage: bytes) -> None:
    backup = begin(device)
    assert put_blob(backup.meta_url, f"refs/{backup.id}", garbage).status == 201
    answer = backup.commit(hashlib.sha256(garbage).hexdigest())
    assert answer.status == 400, answer.data
    nothing_was_committed(backup)


def test_a_repeated_commit_gets_the_same_answer(device: Device) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack")])
    first = backup.commit(refs_sha256).made(200)
    assert backup.commit(refs_sha256).made(200) == first
    assert snapshots(device, backup.client) == [backup.id]


def test_a_repeated_commit_with_other_refs_is_a_conflict(device: Device) -> None:
    backup = back_up(device)
    backup.commit("a" * 64).refused(409, "conflict")


def test_commits_at_the_same_moment_make_one_snapshot(device: Device) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack")])
    first, *others = [answer.made(200) for answer in at_once([lambda: backup.commit(refs_sha256)] * 4)]
    assert all(other == first for other in others)
    assert snapshots(device, backup.client) == [backup.id]


def test_of_a_commit_and_an_abandonment_at_the_same_moment_one_wins(device: Device) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack")])
    answers = at_once([lambda: backup.commit(refs_sha256), lambda: backup.client.post(f"{backup.path}/abandon")])
    assert sorted(answer.status for answer in answers) == [200, 409]
    committed = backup.client.get(backup.path).made(200)["state"] == "committed"
    assert committed == (answers[0].status == 200)
    assert snapshots(device, backup.client) == ([backup.id] if committed else [])


def test_backups_of_many_devices_at_the_same_moment_all_end_well(
    device: Device, service: Service, admin_client: Client
) -> None:
    devices = [device, *(register(service, admin_client, device.account) for _ in range(3))]
    backups = [begin(each) for each in devices]
    prepared = [(backup, backup.prepare([backup.put_pack(b"pack" * n)])) for n, backup in enumerate(backups, 1)]
    for answer in at_once([partial(backup.commit, refs_sha256) for backup, refs_sha256 in prepared]):
        answer.made(200)
    assert snapshots(device, backups[0].client) == sorted(backup.id for backup in backups)


@pytest.mark.parametrize("end", ["commit", "abandon"])
def test_a_closed_session_takes_nothing_more(device: Device, end: str) -> None:
    backup = back_up(device) if end == "commit" else begin(device)
    if end == "abandon":
        backup.client.post(f"{backup.path}/abandon").made(200)
        backup.commit("0" * 64).refused(409, "session-closed")
    else:
        backup.client.post(f"{backup.path}/abandon").refused(409, "session-closed")
    backup.client.post(f"{backup.path}/renew", {}).refused(409, "session-closed")


def test_abandoning_twice_is_no_fault(device: Device) -> None:
    backup = begin(device)
    first = backup.client.post(f"{backup.path}/abandon").made(200)
    assert backup.client.post(f"{backup.path}/abandon").made(200) == first
    assert first["state"] == "abandoned"


def test_one_pack_can_be_asked_for(device: Device) -> None:
    backup = begin(device)
    pack = backup.put_pack(b"x" * 77)
    assert backup.client.get(f"{backup.path}/packs/{pack.name.pack_id}").made(200)["size_bytes"] == 77
    backup.client.get(f"{backup.path}/packs/{'0' * 64}").refused(404, "not-found")
    backup.client.get(f"{backup.path}/packs/nonsense").refused(400, "invalid-request", "pack")


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-Infinity", "1e999", "-1"])
def test_statistics_that_are_no_numbers_poison_no_snapshot(device: Device, seconds: str) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack")])
    raw = f'{{"refs_sha256": "{refs_sha256}", "statistics": {{"seconds": {seconds}}}}}'.encode()
    backup.client.post(f"{backup.path}/commit", raw).refused(400, "invalid-request", "statistics.seconds")
    nothing_was_committed(backup)
