"""What a SAS may do: uploads create and never overwrite, restores read, and neither leaves its account."""

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.service.client import Client
from tests.service.people import Customer, Device, register
from tests.service.vault import BLOCK_BLOB, Backup, begin, blob_url, get_blob, put_blob, signature_of, storage

LISTING = "&restype=container&comp=list"


@pytest.fixture
def backup(device: Device) -> Backup:
    return begin(device)


@pytest.fixture
def reading(backup: Backup, admin_client: Client) -> dict[str, str]:
    """A restore's grant for the backup's account."""
    grant = admin_client.post(f"/accounts/{backup.device.account}/restores", {}).made()["grant"]
    admin_client.secrets.add(signature_of(grant["packs_url"]), signature_of(grant["meta_url"]))
    return grant


@pytest.mark.parametrize("again", [b"first", b"second"])
def test_an_upload_overwrites_no_pack(backup: Backup, reading: dict[str, str], again: bytes) -> None:
    name = str(backup.put_pack(b"first").name)
    assert put_blob(backup.packs_url, name, again).status in (403, 409)
    assert get_blob(reading["packs_url"], name).data == b"first"


def test_an_upload_overwrites_no_refs(backup: Backup) -> None:
    backup.prepare([])
    before = get_blob(backup.meta_url, f"refs/{backup.id}").data
    assert put_blob(backup.meta_url, f"refs/{backup.id}", b"other").status in (403, 409)
    assert get_blob(backup.meta_url, f"refs/{backup.id}").data == before


def test_an_upload_grant_reads_no_packs(backup: Backup) -> None:
    name = str(backup.put_pack(b"data").name)
    assert get_blob(backup.packs_url, name).status == 403
    assert storage("HEAD", blob_url(backup.packs_url, name)).status == 403


def test_an_upload_grant_reads_the_metadata_it_must_merge(backup: Backup) -> None:
    backup.prepare([])
    assert get_blob(backup.meta_url, f"head/{backup.id}").status == 200


@pytest.mark.parametrize("purpose", ["upload", "restore"])
@pytest.mark.parametrize("container", ["packs_url", "meta_url"])
def test_no_grant_lists_or_deletes(backup: Backup, reading: dict[str, str], purpose: str, container: str) -> None:
    backup.put_pack(b"data")
    backup.prepare([])
    url = (backup.opened["grant"] if purpose == "upload" else reading)[container]
    name = str(backup.pack(b"data").name) if container == "packs_url" else f"head/{backup.id}"
    assert storage("GET", url + LISTING).status == 403
    assert storage("DELETE", blob_url(url, name)).status == 403
    assert get_blob(reading[container], name).status == 200


@pytest.mark.parametrize("container", ["packs_url", "meta_url"])
def test_a_restore_grant_writes_nothing(backup: Backup, reading: dict[str, str], container: str) -> None:
    assert put_blob(reading[container], f"{backup.id}/new", b"x").status == 403
    assert get_blob(reading[container], f"{backup.id}/new").status == 404


@pytest.mark.parametrize("operation", ["comp=block&blockid=AAAA", "comp=blocklist", "comp=metadata", "comp=tier"])
def test_an_upload_is_one_shot(backup: Backup, operation: str) -> None:
    """Blocks could be staged over a blob that is there; metadata and tiers could be changed behind our back."""
    backup.put_pack(b"data")
    url = blob_url(backup.packs_url, str(backup.pack(b"data").name)) + f"&{operation}"
    assert storage("PUT", url, b"data", BLOCK_BLOB).status == 403


def test_a_grant_ends_at_its_account(backup: Backup, customer: Customer, admin_client: Client) -> None:
    neighbour = begin(register(customer.service, admin_client, customer.account()))
    name = str(neighbour.put_pack(b"theirs").name)
    for mine, theirs in ((backup.packs_url, neighbour.packs_url), (backup.meta_url, neighbour.meta_url)):
        moved = f"{theirs.partition('?')[0]}?{mine.partition('?')[2]}"
        assert put_blob(moved, "x/y", b"x").status == 403
        assert get_blob(moved, name).status == 403


@pytest.mark.parametrize(
    ("field", "value"), [("si", "restore-0"), ("se", "2099-01-01T00:00:00Z"), ("sr", "b"), ("sig", "AAAA")]
)
def test_a_grant_that_was_tampered_with_opens_nothing(backup: Backup, field: str, value: str) -> None:
    base, _, sas = backup.packs_url.partition("?")
    parts = [f"{field}={value}" if part.startswith(f"{field}=") else part for part in sas.split("&")]
    assert put_blob(f"{base}?{'&'.join(parts)}", "x/y", b"x").status == 403


def test_an_upload_grant_is_good_for_an_hour_and_ends_before_its_lease(backup: Backup) -> None:
    opened, ends = (
        datetime.fromisoformat(t) for t in (backup.opened["opened_at"], backup.opened["grant"]["expires_at"])
    )
    assert (ends - opened).total_seconds() < 3602
    assert backup.opened["grant"]["expires_at"] < backup.opened["lease_until"]
    for url in (backup.packs_url, backup.meta_url):
        signed = parse_qs(urlsplit(url).query)["se"][0]
        assert abs((datetime.fromisoformat(signed) - ends).total_seconds()) < 1


def test_a_restore_goes_on_with_a_fresh_grant(backup: Backup, admin_client: Client) -> None:
    path = f"/accounts/{backup.device.account}/restores"
    first = admin_client.post(path, {}).made()
    again = admin_client.get(f"{path}/{first['id']}").made(200)
    assert {**first, "grant": None} == {**again, "grant": None}
    assert again["grant"]["expires_at"] > first["grant"]["expires_at"]
