"""Revoked devices and suspected breaches: what was given is taken back at once, and the data stays (N16)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from localhost.azurite import Azurite
from shared.domain.breach import AccountLocked
from shared.domain.errors import Conflict, HortError, NotAuthenticated
from shared.domain.grants import Purpose
from shared.domain.ids import CodeId, DeviceId, IncidentId, RestoreId, SessionId, UserId
from shared.domain.incidents import IncidentKind
from shared.domain.sessions import SessionClosed, SessionState
from shared.domain.tenancy import Account, Device, DeviceState, Role
from shared.format import names
from shared.operations import (
    breach,
    customers,
    devices,
    enrolment,
    passwords,
    restores,
    revocations,
    sessions,
    slots,
    tokens,
    users,
)
from shared.operations.breach import LockAccount, Locked
from shared.operations.enrolment import Enrol, MakeCode
from shared.operations.restores import OpenRestore
from shared.operations.slots import PutSlot
from shared.storage.sas import AccountKeySigner, SignedGrant
from tests.certificates import csr
from tests.conftest import Clock, settings_for
from tests.operations.faults import Crash, FaultyServices, Moment
from tests.operations.world import World, make, register

OWN_PASSWORD = "a password of my own"
MOST_CALLS = 60


def upload(grant: SignedGrant, name: str) -> int:
    url = grant.packs_url.replace("?", f"/{name}?")
    return urllib3.request("PUT", url, body=b"sealed", headers={"x-ms-blob-type": "BlockBlob"}).status


def read(grant: SignedGrant, name: str) -> int:
    return urllib3.request("GET", grant.meta_url.replace("?", f"/{name}?")).status


def restore(world: World) -> SignedGrant:
    order = OpenRestore(world.services.new(RestoreId), account(world), None, world.caller)
    return restores.open_restore(world.services, order).grant


def account(world: World) -> Account:
    return customers.get_account(world.services, world.account.customer, world.id)


def row(world: World) -> Device:
    return devices.get(world.services, world.id, world.caller.id).value


def revoke(world: World) -> Device:
    return revocations.revoke_device(world.services, account(world), world.caller.id)


def lock(world: World, note: str = "a laptop was stolen") -> Locked:
    order = LockAccount(world.services.new(IncidentId), world.account.customer, world.id, "user x", note)
    return breach.lock(world.services, order)


def admin(world: World) -> UserId:
    """Who has chosen a password, now."""
    user = world.services.new(UserId)
    order = users.CreateUser(user, world.account.customer, "Anna Muster", f"anna.{user}", Role.ADMIN)
    made = users.create_user(world.services, order)
    change = passwords.ChangePassword(user, world.account.customer, made.password, OWN_PASSWORD, address=None)
    passwords.change(world.services, change)
    return user


def test_a_revoked_devices_tokens_sessions_grants_and_slot_are_dead(world: World) -> None:
    services = world.services
    opening = sessions.open_session(services, world.caller, services.new(SessionId))
    slots.put(services, PutSlot(world.id, f"device-{world.caller.id}", b"sealed", None))
    assert upload(opening.grant, "x/1") == HTTPStatus.CREATED
    assert revoke(world).state is DeviceState.REVOKED
    with pytest.raises(NotAuthenticated):
        tokens.still_valid(services, world.caller)
    with pytest.raises(SessionClosed):
        sessions.renew(services, world.caller, opening.session.id)
    assert upload(opening.grant, "x/2") == HTTPStatus.FORBIDDEN
    assert [slot.name for slot in slots.all_of(services, world.id)] == []


def test_other_devices_of_the_account_go_on_with_a_fresh_grant(world: World) -> None:
    other = world.add_device()
    opening = sessions.open_session(world.services, other.caller, world.services.new(SessionId))
    revoke(world)
    assert upload(opening.grant, "x/1") == HTTPStatus.FORBIDDEN
    renewed = sessions.renew(world.services, other.caller, opening.session.id)
    assert upload(renewed.grant, "x/1") == HTTPStatus.CREATED
    assert tokens.still_valid(world.services, other.caller) == other.caller


def test_what_a_revoked_device_backed_up_stays(world: World) -> None:
    snapshot, _ = world.backed_up()
    revoke(world)
    assert world.services.vaults.snapshot(world.id, snapshot.id) == snapshot


def test_revoking_twice_is_revoking_once(world: World, clock: Clock) -> None:
    first = revoke(world)
    clock.move(timedelta(hours=1))
    assert revoke(world) == first


def test_the_revocation_list_names_the_certificate_until_it_would_have_ended(world: World, clock: Clock) -> None:
    services, serial = world.services, row(world).certificates[0].id.serial_number
    key = services.authority.certificate.public_key()

    def listed() -> bool:
        crl = x509.load_der_x509_crl(revocations.revocation_list(services))
        assert isinstance(key, RSAPublicKey)
        assert crl.is_signature_valid(key)
        return crl.get_revoked_certificate_by_serial_number(serial) is not None

    assert not listed()
    revoke(world)
    clock.move(timedelta(minutes=1))
    assert listed()
    clock.move(timedelta(days=731))
    assert not listed()


def test_a_lock_takes_back_tokens_sessions_and_grants_at_once(world: World) -> None:
    opening = sessions.open_session(world.services, world.caller, world.services.new(SessionId))
    reading, name = restore(world), names.head(opening.session.id)
    world.put(names.meta_container(world.id), name, b"head")
    assert (upload(opening.grant, "x/1"), read(reading, name)) == (HTTPStatus.CREATED, HTTPStatus.OK)
    assert lock(world).grants_end_at == world.services.now()
    assert (upload(opening.grant, "x/2"), read(reading, name)) == (HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN)
    assert world.session(opening.session.id).state is SessionState.FENCED
    with pytest.raises(NotAuthenticated):
        tokens.still_valid(world.services, world.caller)


def test_a_locked_account_gives_nothing_and_keeps_its_data(world: World) -> None:
    snapshot, _ = world.backed_up()
    lock(world)
    for attempt in (world.open, lambda: restore(world)):
        with pytest.raises(AccountLocked):
            attempt()
    assert world.services.vaults.snapshot(world.id, snapshot.id) == snapshot
    revoke(world)
    assert upload_refused_still(world), "revoking a device meanwhile opens nothing"


def upload_refused_still(world: World) -> bool:
    signed = world.services.signer.grant(account(world), Purpose.UPLOAD, world.services.now() + timedelta(hours=1))
    return upload(signed, "x/9") == HTTPStatus.FORBIDDEN


def test_a_second_lock_joins_the_first_and_opens_no_second_incident(world: World, clock: Clock) -> None:
    first = lock(world).account
    clock.move(timedelta(hours=1))
    assert lock(world, "again").account == first
    (incident,) = world.services.incidents.all(world.account.customer)
    assert (incident.kind, incident.note, incident.id) == (
        IncidentKind.SUSPECTED_BREACH,
        "a laptop was stolen",
        first.incident,
    )


def test_only_who_has_changed_the_password_since_opens_the_account(world: World, clock: Clock) -> None:
    early = admin(world)
    clock.move(timedelta(minutes=1))
    lock(world)
    with pytest.raises(Conflict, match="change your password"):
        breach.unlock(world.services, account(world), early)
    clock.move(timedelta(minutes=1))
    assert breach.unlock(world.services, account(world), admin(world)).locked_at is None


def test_an_opened_account_works_again_and_grants_of_before_stay_dead(world: World, clock: Clock) -> None:
    before = sessions.open_session(world.services, world.caller, world.services.new(SessionId)).grant
    lock(world)
    clock.move(timedelta(minutes=1))
    breach.unlock(world.services, account(world), admin(world))
    assert upload(before, "x/1") == HTTPStatus.FORBIDDEN
    with pytest.raises(NotAuthenticated):
        tokens.still_valid(world.services, world.caller)
    after = sessions.open_session(world.services, world.caller, world.services.new(SessionId)).grant
    assert upload(after, "x/1") == HTTPStatus.CREATED


def test_no_device_comes_in_while_it_is_locked_and_codes_of_before_stay_void(world: World, clock: Clock) -> None:
    services, stranger = world.services, world.services.new(UserId)
    before = enrolment.make_code(services, MakeCode(services.new(CodeId), account(world), stranger)).code
    lock(world)
    with pytest.raises(AccountLocked):
        enrolment.enrol(services, coming_in(world, before))
    with pytest.raises(AccountLocked):
        register(services, account(world))
    clock.move(timedelta(minutes=1))
    breach.unlock(services, account(world), admin(world))
    with pytest.raises(NotAuthenticated, match="withdrawn"):
        enrolment.enrol(services, coming_in(world, before))
    after = enrolment.make_code(services, MakeCode(services.new(CodeId), account(world), stranger)).code
    assert enrolment.enrol(services, coming_in(world, after)).account == world.id


def coming_in(world: World, code: str) -> Enrol:
    return Enrol(world.services.new(DeviceId), code, "pc", "linux", csr())


def test_a_lock_that_comes_while_a_device_is_revoked_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The revocation knows an older row when it writes to storage: it must look again."""
    held = sessions.open_session(world.services, world.caller, world.services.new(SessionId))
    enforce, locks = type(world.services.signer).enforce, iter([True])

    def overtaken(signer: AccountKeySigner, known: Account, now: datetime) -> datetime:
        if next(locks, False):
            lock(world)
        return enforce(signer, known, now)

    monkeypatch.setattr(AccountKeySigner, "enforce", overtaken)
    revoke(world)
    for generation in range(4):
        signed = world.services.signer.grant(
            replace(account(world), grants=generation), Purpose.UPLOAD, world.services.now() + timedelta(hours=1)
        )
        assert upload(signed, f"x/{generation}") == HTTPStatus.FORBIDDEN
    assert upload(held.grant, "x/9") == HTTPStatus.FORBIDDEN


def is_shut(world: World, opening: SignedGrant, session: SessionId) -> bool:
    """Nothing that was given out is of use any more."""
    with pytest.raises(NotAuthenticated):
        tokens.still_valid(world.services, world.caller)
    with pytest.raises(HortError):
        sessions.renew(world.services, world.caller, session)
    return upload(opening, "x/9") == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("act", [revoke, lock])
def test_cut_off_at_any_call_and_repeated_it_is_done(
    azurite: Azurite, clock: Clock, act: Callable[[World], object]
) -> None:
    faulty = FaultyServices(settings_for(azurite.connection_string, clock))
    for call in range(1, MOST_CALLS):
        world = make(faulty)
        session = faulty.new(SessionId)
        opening = sessions.open_session(faulty, world.caller, session).grant
        faulty.fuse.set(call, Moment.AFTER)
        try:
            act(world)
        except Crash:
            faulty.fuse.set(None)
            act(world)
        blew = faulty.fuse.at is None
        faulty.fuse.set(None)
        assert is_shut(world, opening, session)
        if not blew:
            return
    raise AssertionError("it never ended")
