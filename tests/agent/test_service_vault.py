"""The vault behind the service: uploads that arrive once, leases that are kept, and grants that run out."""

import hashlib
import logging
import threading
import time
from datetime import timedelta

import pytest

from agent.blobs import BlobRefused
from agent.cli.remote import told
from agent.lease import Lease, SessionClosed, pause_between_renewals
from agent.meter import Meter
from agent.service_vault import ServiceVault
from agent.transport import Unreachable
from agent.vault import CommitOrder, Committed, PacksMissing, VaultObjectMissing
from shared.api.backups import RenewSession
from shared.domain.commits import Statistics
from shared.domain.errors import Conflict, Forbidden
from shared.domain.ids import PackName, SessionId
from shared.format.errors import Damaged
from tests.agent.conftest import Registered, chain, wait_until
from tests.agent.stand_in import Fault, How, StandIn

BODY = b"sealed chunks " * 1000


def pack_of(session: SessionId, body: bytes = BODY) -> PackName:
    return PackName(session, hashlib.sha256(body).hexdigest())


@pytest.fixture
def vault(device: Registered):
    made = device.vault()
    yield made
    made.close()


def commit(vault: ServiceVault, session: SessionId, backup_set: str = "") -> Committed | PacksMissing:
    refs = b"hort refs 1\n"
    vault.put_meta(f"refs/{session}", refs)
    return vault.commit(CommitOrder(session, hashlib.sha256(refs).hexdigest(), Statistics(files=3), backup_set))


def test_a_backup_goes_all_the_way(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    vault.put_pack(pack_of(session), [BODY[:5], memoryview(BODY)[5:]])
    vault.put_meta(f"index/{session}/0", b"index")
    done = commit(vault, session)
    assert isinstance(done, Committed)
    assert stand_in.packs == {str(pack_of(session)): BODY}
    snapshots = vault.snapshots()
    assert [(each.session, each.statistics.files) for each in snapshots] == [(session, 3)]
    assert vault.open_session(None).live_indexes == ((session, 0),)
    reader = vault.restore_reader(session)
    assert reader.pack_range(pack_of(session), 7, 6) == BODY[7:13]
    assert reader.pack_size_bytes(pack_of(session)) == len(BODY)
    assert reader.meta(f"index/{session}/0") == b"index"


def test_an_expired_snapshot_is_not_offered(stand_in: StandIn, vault: ServiceVault) -> None:
    expired = vault.open_session(None).session
    commit(vault, expired)
    stand_in.snapshots[0]["expired_at"] = "2026-03-01T00:00:00Z"
    kept = vault.open_session(None).session
    commit(vault, kept)
    assert [each.session for each in vault.snapshots()] == [kept]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT /blobs/d-", How.RESET_AFTER),
        Fault("PUT /blobs/d-", How.RESET_BEFORE),
        Fault("PUT /blobs/d-", How.SLOW),
        Fault("PUT /blobs/d-", How.ANSWER, 503),
        Fault("PUT /blobs/d-", How.ANSWER, 429, retry_after="0"),
        Fault("PUT /blobs/d-", How.ANSWER, 400, code="Md5Mismatch"),
    ],
    ids=lambda fault: f"{fault.how.name}-{fault.status}",
)
def test_a_pack_arrives_whatever_happens_to_the_upload(stand_in: StandIn, vault: ServiceVault, fault: Fault) -> None:
    session = vault.open_session(None).session
    stand_in.faults = [fault]
    vault.put_pack(pack_of(session), [BODY])
    assert stand_in.packs == {str(pack_of(session)): BODY}
    assert stand_in.count("PUT /blobs/d-") == 2


@pytest.mark.parametrize("code", ["AuthorizationPermissionMismatch", "UnauthorizedBlobOverwrite"])
def test_a_refusal_of_a_pack_that_is_not_there_is_an_error(stand_in: StandIn, vault: ServiceVault, code: str) -> None:
    session = vault.open_session(None).session
    stand_in.faults = [Fault("PUT /blobs/d-", How.ANSWER, 403, code=code)]
    with pytest.raises(BlobRefused, match="not-found"):
        vault.put_pack(pack_of(session), [BODY])


def test_a_pack_that_is_there_with_another_size_is_an_error(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    stand_in.packs[str(pack_of(session))] = BODY[:-1]
    with pytest.raises(BlobRefused, match="13999 bytes instead of 14000"):
        vault.put_pack(pack_of(session), [BODY])


def test_the_same_meta_twice_is_no_error_and_other_bytes_are(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    stand_in.faults = [Fault("PUT /blobs/m-", How.RESET_AFTER)]
    vault.put_meta(f"head/{session}", b"head")
    vault.put_meta(f"head/{session}", b"head")
    with pytest.raises(Conflict):
        vault.put_meta(f"head/{session}", b"another")
    assert stand_in.meta[f"head/{session}"] == b"head"


def test_an_expired_sas_is_renewed_once_for_all_threads(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    bodies = [bytes([n]) * 1000 for n in range(6)]
    stand_in.expire_sas()
    threads = [threading.Thread(target=vault.put_pack, args=(pack_of(session, body), [body])) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stand_in.packs.values()) == bodies
    assert len(stand_in.renewals) == 1


def test_an_expired_restore_grant_is_renewed_on_the_same_record(stand_in: StandIn, vault: ServiceVault) -> None:
    stand_in.packs["0" * 26 + "/" + "a" * 64] = BODY
    reader = vault.restore_reader(None)
    stand_in.expire_sas()
    assert reader.pack_range(PackName(SessionId("0" * 26), "a" * 64), 0, 3) == BODY[:3]
    assert stand_in.count(f"POST /api/v1/accounts/{stand_in.account}/restores") == 1


def test_a_restore_survives_cut_answers(stand_in: StandIn, vault: ServiceVault) -> None:
    name = PackName(SessionId("0" * 26), "a" * 64)
    stand_in.packs[str(name)] = BODY
    stand_in.faults = [Fault("GET /blobs/d-", how) for how in (How.CUT_SHORT, How.RESET_AFTER, How.RESET_BEFORE)]
    assert vault.restore_reader(None).pack_range(name, 14, 14) == BODY[14:28]


def test_what_is_missing_or_short_is_named(stand_in: StandIn, vault: ServiceVault) -> None:
    name = PackName(SessionId("0" * 26), "a" * 64)
    reader = vault.restore_reader(None)
    with pytest.raises(VaultObjectMissing, match=str(name)):
        reader.pack_size_bytes(name)
    with pytest.raises(VaultObjectMissing):
        reader.meta("head/none")
    stand_in.packs[str(name)] = b"short"
    for offset in (3, 5, 100):
        with pytest.raises(Damaged, match=str(name)):
            reader.pack_range(name, offset, 10)


def test_a_backup_session_reads_no_packs(vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    with pytest.raises(Forbidden):
        vault.session_reader(session).pack_range(pack_of(session), 0, 1)


def test_storage_refuses_to_read_with_an_upload_grant(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    vault.put_meta(f"head/{session}", b"head")
    assert vault.session_reader(session).meta(f"head/{session}") == b"head"


def test_a_killed_run_goes_on_with_its_session(stand_in: StandIn, device: Registered) -> None:
    first = device.vault()
    session = first.open_session(None).session
    first.put_pack(pack_of(session), [BODY])
    first.close()
    second = device.vault()
    again = second.open_session(session)
    assert (again.session, again.resumed) == (session, True)
    assert second.uploaded_packs(session) == {pack_of(session): len(BODY)}
    second.close()


@pytest.mark.parametrize("state", ["fenced", "committed", "abandoned"])
def test_a_session_that_ended_is_not_gone_on_with(stand_in: StandIn, vault: ServiceVault, state: str) -> None:
    old = vault.open_session(None).session
    stand_in.sessions[old]["state"] = state
    fresh = vault.open_session(old)
    assert not fresh.resumed
    assert fresh.session != old


def test_missing_packs_are_named_by_the_commit(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    stand_in.refuse_commit_for = [str(pack_of(session))]
    assert commit(vault, session) == PacksMissing((pack_of(session),))
    stand_in.refuse_commit_for = []
    assert isinstance(commit(vault, session), Committed)


def test_the_commit_tells_the_backup_set(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    commit(vault, session, "home")
    assert [info.backup_set for info in vault.snapshots()] == ["home"]


def test_a_commit_whose_answer_was_lost_answers_the_same(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    stand_in.faults = [Fault("/commit", How.RESET_AFTER)]
    assert isinstance(commit(vault, session), Committed)
    assert len(stand_in.snapshots) == 1


def test_a_fenced_session_does_not_commit(stand_in: StandIn, vault: ServiceVault) -> None:
    session = vault.open_session(None).session
    stand_in.sessions[session]["state"] = "fenced"
    with pytest.raises(SessionClosed, match="the lease ran out"):
        commit(vault, session)


def test_the_lease_is_renewed_while_it_runs_and_tells_the_progress(stand_in: StandIn, device: Registered) -> None:
    stand_in.lease = timedelta(seconds=0.3)
    meter = Meter()
    meter.expect(10, 1000)
    meter.advance(1, 250, b"path")
    vault = ServiceVault(device.service, device.transport, device.key, lambda: told(meter.read()))
    session = vault.open_session(None).session
    stand_in.expire_sas()
    wait_until(lambda: len(stand_in.renewals) >= 2)
    assert stand_in.renewals[0] == {"done_bytes": 250, "total_bytes": 1000}
    vault.put_pack(pack_of(session), [BODY])
    assert stand_in.count("PUT /blobs/d-") == 1, "the renewed lease brought a fresh SAS"
    vault.close()
    time.sleep(0.2)
    renewals = len(stand_in.renewals)
    time.sleep(0.3)
    assert len(stand_in.renewals) == renewals


def test_uploads_stop_when_the_service_has_closed_the_session(stand_in: StandIn, device: Registered) -> None:
    stand_in.lease = timedelta(seconds=0.15)
    vault = device.vault()
    session = vault.open_session(None).session
    stand_in.sessions[session]["state"] = "fenced"
    wait_until(lambda: stand_in.count("/renew") > 0)
    time.sleep(0.1)
    with pytest.raises(SessionClosed):
        vault.put_pack(pack_of(session), [BODY])
    assert not stand_in.packs
    vault.close()


def test_a_renewal_that_reaches_nobody_is_not_the_end(stand_in: StandIn, device: Registered) -> None:
    opened = device.service.open_session(stand_in.account)
    calls: list[int] = []

    def renew():
        calls.append(1)
        if len(calls) == 1:
            raise Unreachable("here", "on order")
        return opened

    lease = Lease(opened.model_copy(update={"lease_until": opened.opened_at + timedelta(seconds=0.1)}), renew, print)
    lease.start()
    wait_until(lambda: len(calls) > 1)
    lease.must_run()
    lease.stop()


def test_a_long_lease_is_renewed_every_minute_by_the_services_own_clock(stand_in: StandIn, device: Registered) -> None:
    opened = device.service.open_session(stand_in.account)
    wrong_clock = opened.model_copy(
        update={
            "opened_at": opened.opened_at - timedelta(days=900),
            "lease_until": opened.lease_until - timedelta(days=900),
        }
    )
    assert pause_between_renewals(opened) == pause_between_renewals(wrong_clock) == timedelta(minutes=1)


def test_giving_up_a_session_that_is_gone_is_no_error(stand_in: StandIn, vault: ServiceVault) -> None:
    vault.abandon(SessionId("0" * 26))
    session = vault.open_session(None).session
    vault.abandon(session)
    assert stand_in.sessions[session]["state"] == "abandoned"
    with pytest.raises(SessionClosed):
        vault.put_pack(pack_of(session), [BODY])


def test_the_sas_never_shows(stand_in: StandIn, vault: ServiceVault, caplog: pytest.LogCaptureFixture) -> None:
    session = vault.open_session(None).session
    faults = [Fault("PUT /blobs/d-", How.RESET_BEFORE)] * 200
    told: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for stand_in.faults in (faults, [Fault("PUT /blobs/d-", How.ANSWER, 403, code="AuthenticationFailed")] * 2):
            with pytest.raises((Unreachable, BlobRefused)) as caught:
                vault.put_pack(pack_of(session), [BODY])
            told.append(chain(caught.value))
    assert "sig=" not in "".join(told) + caplog.text
    assert "secret" not in "".join(told) + caplog.text


def test_what_the_service_hears_of_progress_is_never_more_than_all() -> None:
    meter = Meter()
    meter.advance(1, 70, b"")
    assert told(meter.read()) == RenewSession(done_bytes=70, total_bytes=0), "0 is not known"
    meter.expect(2, 60)
    assert told(meter.read()) == RenewSession(done_bytes=70, total_bytes=70)
