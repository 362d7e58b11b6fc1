"""The lease of a backup session, in virtual time: who is late is fenced, and nothing is half done."""

from datetime import datetime, timedelta

import pytest

from tests.service.people import Device, Service, new_device
from tests.service.vault import Backup, begin


@pytest.fixture(scope="module")
def device(timeless: Service) -> Device:
    return new_device(timeless)


def later(backup: Backup) -> Backup:
    """The same session with a fresh token: the old one has run out."""
    return Backup(backup.device, backup.device.log_in(), backup.opened)


def fenced(backup: Backup) -> None:
    assert backup.client.get(backup.path).made(200)["state"] == "fenced"
    path = f"/accounts/{backup.device.account}/snapshots"
    assert backup.id not in [item["id"] for item in backup.client.get(path).made(200)["items"]]
    backup.client.get(f"{path}/{backup.id}").refused(404, "not-found")


def test_a_commit_after_the_lease_is_refused_and_the_session_fenced(timeless: Service, device: Device) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"late" * 10)])
    timeless.advance(hours=6, seconds=1)
    backup = later(backup)
    problem = backup.commit(refs_sha256).refused(409, "session-closed")
    assert "fenced" in problem["detail"]
    fenced(backup)
    backup.commit(refs_sha256).refused(409, "session-closed")
    backup.client.post(f"{backup.path}/renew", {}).refused(409, "session-closed")
    fenced(backup)


def test_a_session_whose_lease_ran_out_is_seen_as_fenced_at_once(timeless: Service, device: Device) -> None:
    backup = begin(device)
    assert backup.client.get(backup.path).made(200)["state"] == "open"
    timeless.advance(hours=6, seconds=1)
    fenced(later(backup))


def test_packs_of_a_fenced_session_cannot_be_reused(timeless: Service, device: Device) -> None:
    late = begin(device)
    pack = late.put_pack(b"orphan" * 10)
    timeless.advance(hours=7)
    backup = begin(device)
    problem = backup.commit(backup.prepare([pack])).refused(409, "packs-missing")
    assert problem["packs"] == [str(pack.name)]
    backup.commit("0" * 64).refused(400, "invalid-request", "refs_sha256")


def test_a_renewed_session_may_commit_when_its_first_lease_is_over(timeless: Service, device: Device) -> None:
    backup = begin(device)
    timeless.advance(hours=5)
    backup = later(backup)
    renewed = backup.client.post(f"{backup.path}/renew", {"done_bytes": 1, "total_bytes": 2}).made(200)
    assert renewed["lease_until"] > backup.opened["lease_until"]
    assert renewed["grant"]["expires_at"] < renewed["lease_until"]
    timeless.advance(hours=5)
    backup = later(backup)
    backup.commit(backup.prepare([backup.put_pack(b"in time" * 10)])).made(200)


def test_no_session_lives_longer_than_seven_days(timeless: Service, device: Device) -> None:
    backup = begin(device)
    end = datetime.fromisoformat(backup.opened["renewable_until"])
    assert end - datetime.fromisoformat(backup.opened["opened_at"]) == timedelta(days=7)
    while True:
        timeless.advance(hours=5)
        backup = later(backup)
        if timeless.now() >= end:
            break
        renewed = backup.client.post(f"{backup.path}/renew", {}).made(200)
        assert datetime.fromisoformat(renewed["lease_until"]) <= end
    backup.client.post(f"{backup.path}/renew", {}).refused(409, "session-closed")
    fenced(backup)


def test_a_repeated_commit_is_answered_long_after_the_lease(timeless: Service, device: Device) -> None:
    backup = begin(device)
    refs_sha256 = backup.prepare([backup.put_pack(b"pack" * 10)])
    first = backup.commit(refs_sha256).made(200)
    timeless.advance(days=30)
    assert later(backup).commit(refs_sha256).made(200) == first


def test_a_late_session_of_one_device_is_no_harm_to_another(timeless: Service) -> None:
    one = new_device(timeless)
    late = begin(one)
    timeless.advance(hours=7)
    backup = begin(one)
    backup.commit(backup.prepare([backup.put_pack(b"new" * 10)])).made(200)
    later(late).commit("0" * 64).refused(409, "session-closed")
    found = backup.client.get(f"/accounts/{one.account}/snapshots").made(200)["items"]
    assert [item["id"] for item in found] == [backup.id]
