"""The commit accepts only what is restorable, says what is missing, and leaves nothing half done (design 5.3)."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from shared.api import backups as api
from shared.domain.errors import Conflict, Malformed, NotFound
from shared.domain.ids import AccountId, DeviceId, SessionId
from shared.domain.sessions import LEASE, SessionClosed, SessionState
from shared.format import names
from shared.format.errors import BadSignature
from shared.format.refs import Refs
from shared.operations import commits, devices, sessions
from shared.operations.commits import CommitOrder, ObjectsMissing, PacksMissing
from shared.storage.blobs import VaultBlobs
from tests.conftest import Clock
from tests.operations.world import HEAD, INDEX, STATISTICS, Device, World, make, refused_as_it_was

OTHER = b"\x07" * 10


def test_a_whole_session_becomes_a_snapshot(world: World, clock: Clock) -> None:
    session = world.open()
    packs = [world.upload_pack(session) for _ in range(3)]
    order = world.order(session, world.refs(session, packs, [world.upload_meta(session)]))
    clock.move(timedelta(hours=1))
    snapshot = world.commit(order)
    assert snapshot == world.services.vaults.snapshot(world.id, session)
    assert (snapshot.packs, snapshot.stored_bytes, snapshot.new_packs, snapshot.new_stored_bytes) == (3, 192, 3, 192)
    assert (snapshot.index_segments, snapshot.statistics) == (1, STATISTICS)
    assert snapshot.committed_at == clock.at, "the service's clock"
    assert (world.session(session).state, world.session(session).ended_at) == (SessionState.COMMITTED, clock.at)
    row = devices.get(world.services, world.id, world.caller.id)
    assert row.value.last_snapshot_at == clock.at


def test_a_snapshot_may_reuse_packs_of_committed_sessions(world: World) -> None:
    _, packs = world.backed_up(2)
    snapshot = world.commit(world.ready(packs[:1]))
    assert (snapshot.packs, snapshot.new_packs) == (2, 1)


def test_a_snapshot_of_nothing_new_is_a_snapshot(world: World) -> None:
    _, packs = world.backed_up()
    snapshot = world.commit(world.ready(packs, own=0))
    assert (snapshot.packs, snapshot.new_packs, snapshot.new_stored_bytes) == (2, 0, 0)


def test_a_missing_pack_is_named_and_after_its_upload_the_commit_succeeds(world: World) -> None:
    session = world.open()
    packs = [world.upload_pack(session, bytes([n]) * 10) for n in range(3)]
    order = world.order(session, world.refs(session, packs, [world.upload_meta(session)]))
    world.delete_pack(packs[1].name)
    refused = refused_as_it_was(world, order, PacksMissing, "is not there")
    assert isinstance(refused, PacksMissing)
    assert refused.packs == (packs[1].name,)
    world.upload_pack(session, bytes([1]) * 10)
    assert world.commit(order).packs == 3


def test_a_truncated_pack_is_named(world: World) -> None:
    session = world.open()
    whole, other = world.upload_pack(session), world.upload_pack(session)
    order = world.order(session, world.refs(session, [whole, other], [world.upload_meta(session)]))
    world.put(names.packs_container(world.id), str(whole.name), b"short")
    refused = refused_as_it_was(world, order, PacksMissing, "has 5 bytes instead of 64")
    assert isinstance(refused, PacksMissing)
    assert refused.packs == (whole.name,)


def test_a_pack_of_a_session_that_still_runs_cannot_be_reused(world: World) -> None:
    foreign = world.open(world.add_device())
    strange = world.upload_pack(foreign)
    refused_as_it_was(world, world.ready([strange]), PacksMissing, "never committed")


def test_a_pack_of_a_session_that_was_abandoned_cannot_be_reused(world: World) -> None:
    gone = world.open()
    pack = world.upload_pack(gone)
    sessions.abandon(world.services, world.caller, gone)
    refused_as_it_was(world, world.ready([pack]), PacksMissing, "never committed")


def test_a_pack_of_another_account_is_not_there(world: World) -> None:
    _, packs = make(world.services).backed_up(1)
    refused_as_it_was(world, world.ready(packs), PacksMissing, "never committed")


def test_a_pack_that_is_being_deleted_cannot_be_reused(world: World) -> None:
    _, packs = world.backed_up(2)
    world.delete([packs[0].name])
    refused = refused_as_it_was(world, world.ready(packs), PacksMissing, "being deleted")
    assert isinstance(refused, PacksMissing)
    assert refused.packs == (packs[0].name,)


def test_a_condemned_pack_that_is_needed_lives_again(world: World) -> None:
    _, packs = world.backed_up(3)
    world.condemn(pack.name for pack in packs)
    epoch = world.state().value.epoch
    world.commit(world.ready(packs[:2]))
    assert world.condemned() == {packs[2].name}
    assert world.state().value.epoch == epoch, "only a mark begins an epoch"


def test_a_refused_commit_resurrects_nothing(world: World) -> None:
    _, packs = world.backed_up(2)
    world.condemn([packs[0].name])
    world.delete([packs[1].name])
    refused_as_it_was(world, world.ready(packs), PacksMissing, "being deleted")
    assert world.condemned() == {packs[0].name}


def test_resurrection_and_snapshot_are_one_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the set could change without the snapshot, a crash between the two would keep garbage or lose a pack."""
    _, packs = world.backed_up(1)
    world.condemn([packs[0].name])
    order = world.ready(packs)
    before = world.state()

    def crash(*_: object) -> None:
        raise ConnectionError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr("shared.storage.vaults.transact", crash)
        with pytest.raises(ConnectionError):
            world.commit(order)
    assert world.state() == before
    assert world.condemned() == {packs[0].name}
    world.commit(order)
    assert world.condemned() == frozenset()


def test_refs_that_are_not_there_are_named(world: World) -> None:
    session = world.open()
    refused_as_it_was(world, CommitOrder(session, "0" * 64, STATISTICS), ObjectsMissing, f"refs/{session} is not there")


@pytest.mark.parametrize("what", ["head", "index"])
@pytest.mark.parametrize("size", [None, -1, 1])
def test_a_head_or_an_index_that_is_not_there_or_not_whole_is_named(world: World, what: str, size: int | None) -> None:
    order = world.ready()
    name = names.head(order.session) if what == "head" else f"index/{order.session}/0"
    body = HEAD if what == "head" else INDEX
    container = names.meta_container(world.id)
    if size is None:
        world.services.vault_blobs.client.get_blob_client(container, name).delete_blob()
    else:
        world.put(container, name, (body + b"x")[: len(body) + size])
    refused_as_it_was(world, order, ObjectsMissing, f"{name} is not there")
    world.put(container, name, body)
    assert world.commit(order).packs == 1


def test_an_index_of_a_session_that_was_never_committed_cannot_be_reused(world: World) -> None:
    """It is garbage to a sweep: a snapshot that needs it would lose its chunks' places."""
    foreign = world.open(world.add_device())
    strange = world.upload_meta(foreign)
    session = world.open()
    own = world.upload_meta(session)
    order = world.order(session, world.refs(session, [world.upload_pack(session)], [own, strange]))
    refused_as_it_was(world, order, ObjectsMissing, "never committed")


def test_an_index_of_a_snapshot_is_reused(world: World) -> None:
    snapshot, packs = world.backed_up(1)
    session = world.open()
    indexes = [world.upload_meta(session), *world.refs(snapshot.id, [], [world.upload_meta(snapshot.id)]).indexes]
    assert world.commit(world.order(session, world.refs(session, packs, indexes))).index_segments == 1


type Forge = Callable[[World, Refs], Refs]
FORGED: dict[str, Forge] = {
    "account": lambda world, refs: replace(refs, account=world.services.new(AccountId)),
    "session": lambda world, refs: replace(refs, session=world.services.new(SessionId)),
    "device": lambda world, refs: replace(refs, device=world.services.new(DeviceId)),
}


@pytest.mark.parametrize("part", FORGED)
def test_refs_of_another_account_session_or_device_are_refused(world: World, part: str) -> None:
    session = world.open()
    refs = world.refs(session, [world.upload_pack(session)], [world.upload_meta(session)])
    refused_as_it_was(world, world.order(session, FORGED[part](world, refs)), Malformed, "another")


def test_refs_with_another_hash_are_refused(world: World) -> None:
    order = world.ready()
    refused_as_it_was(world, replace(order, refs_sha256="0" * 64), Malformed, "refs_sha256")


def test_refs_that_somebody_else_signed_are_refused(world: World) -> None:
    session = world.open()
    refs = world.refs(session, [world.upload_pack(session)], [world.upload_meta(session)])
    for key in (Ed25519PrivateKey.generate(), world.add_device().key):
        order = world.order(session, refs, Device(world.caller, key))
        refused_as_it_was(world, order, BadSignature, "signature")


def test_refs_that_were_changed_after_signing_are_refused(world: World) -> None:
    order = world.ready()
    data = world.services.vault_blobs.meta(world.id, names.refs(order.session), at_most_bytes=1 << 20)
    assert data is not None
    forged = data.replace(b" 64\n", b" 65\n")
    assert forged != data
    world.put(names.meta_container(world.id), names.refs(order.session), forged)
    changed = replace(order, refs_sha256=hashlib.sha256(forged).hexdigest())
    refused_as_it_was(world, changed, BadSignature, "signature")


@pytest.mark.parametrize("body", [b"", b"\n", b"hort refs 1\n", b"\xff" * 100, b"signature AAAA\n"])
def test_refs_that_are_none_are_refused(world: World, body: bytes) -> None:
    session = world.open()
    world.put(names.meta_container(world.id), names.refs(session), body)
    order = CommitOrder(session, hashlib.sha256(body).hexdigest(), STATISTICS)
    refused_as_it_was(world, order, Malformed, "refs")


def test_refs_beyond_the_limit_are_refused_without_reading_them_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.ready()
    monkeypatch.setattr(commits, "MAX_REFS_BYTES", 100)
    refused_as_it_was(world, order, Malformed, "larger than 100 bytes")


def test_a_late_commit_is_refused_and_the_fence_is_written(world: World, clock: Clock) -> None:
    order = world.ready()
    clock.move(LEASE)
    etag = world.state().etag
    with pytest.raises(SessionClosed, match="fenced"):
        world.commit(order)
    assert world.session(order.session).state is SessionState.FENCED
    assert world.state().etag != etag, "a sweep that reads the state now sees the fence"
    assert world.services.vaults.snapshot(world.id, order.session) is None
    clock.move(-LEASE)
    with pytest.raises(SessionClosed):
        world.commit(order)


def test_an_abandoned_session_is_never_committed(world: World) -> None:
    order = world.ready()
    sessions.abandon(world.services, world.caller, order.session)
    with pytest.raises(SessionClosed, match="abandoned"):
        world.commit(order)


def test_another_device_s_session_does_not_exist(world: World) -> None:
    order = world.ready()
    with pytest.raises(NotFound):
        commits.commit(world.services, world.add_device().caller, order)
    with pytest.raises(NotFound):
        commits.commit(world.services, make(world.services).caller, order)


def test_a_session_that_was_never_opened_does_not_exist(world: World) -> None:
    with pytest.raises(NotFound):
        world.commit(CommitOrder(world.services.new(SessionId), "0" * 64, STATISTICS))


def test_a_repeated_commit_answers_the_same_even_after_the_lease(world: World, clock: Clock) -> None:
    order = world.ready()
    first = world.commit(order)
    clock.move(timedelta(days=30))
    etag = world.state().etag
    assert world.commit(order) == first
    assert world.state().etag == etag, "nothing is written twice"


def test_a_repeated_commit_with_other_refs_is_a_conflict(world: World) -> None:
    order = world.ready()
    first = world.commit(order)
    with pytest.raises(Conflict, match="other refs"):
        world.commit(replace(order, refs_sha256="0" * 64))
    assert world.services.vaults.snapshot(world.id, order.session) == first


def test_a_repeated_old_commit_does_not_turn_back_the_device_s_last_snapshot(world: World, clock: Clock) -> None:
    old = world.ready()
    world.commit(old)
    clock.move(timedelta(days=1))
    last = world.commit(world.ready())
    world.commit(old)
    row = devices.get(world.services, world.id, world.caller.id)
    assert row.value.last_snapshot_at == last.committed_at


def test_a_pack_is_only_a_blob_with_a_pack_s_name(world: World) -> None:
    session = world.open()
    pack = world.upload_pack(session)
    for name in (f"{session}/readme.txt", f"{session}/{pack.name.pack_id}.tmp", f"{session}/x/{pack.name.pack_id}"):
        world.put(names.packs_container(world.id), name, b"x")
    blobs: VaultBlobs = world.services.vault_blobs
    assert blobs.pack_sizes(world.id, [session]) == {pack.name: 64}


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-Infinity", "1e999", "-1"])
def test_statistics_that_no_row_could_give_back_are_refused_at_the_edge(seconds: str) -> None:
    with pytest.raises(ValidationError):
        api.Statistics.model_validate_json(f'{{"seconds": {seconds}}}')
