"""Whatever call to storage a crash cuts off, doing it again ends as if nothing had happened."""

# pyright: reportUnknownMemberType=false
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from localhost.azurite import Azurite
from shared.contracts.seeding import CloseSeeding, RemindCustomer
from shared.domain.ids import AccountId, CertificateId, CodeId, CustomerId, DeviceId, RestoreId, SessionId, UserId
from shared.domain.seeding import Seeding, SeedingState
from shared.domain.sessions import LEASE, SessionClosed
from shared.domain.tenancy import Role
from shared.format import names
from shared.operations import customers, devices, enrolment, restores, seeding, sessions, users
from shared.operations.devices import RenewCertificate
from shared.operations.enrolment import Enrol, MakeCode
from shared.operations.restores import OpenRestore
from tests.certificates import csr
from tests.conftest import Clock, settings_for
from tests.operations.faults import Crash, FaultyServices, Moment
from tests.operations.world import World, make

MOST_CALLS = 40
_ID = re.compile(r"\b[0-7][0-9a-hjkmnp-tv-z]{25}\b")
_NOISE = re.compile(
    r"\b[0-9a-f]{64}\b|\$argon2[^']+|public_key=b(['\"]).*?\1(?=, cert)|(thumbprint|pem)\"?[=:]['\"].*?['\"]"
)


@dataclass(frozen=True, slots=True)
class Act:
    """What is done again after the crash; all that is random in it is drawn before."""

    run: Callable[[], object]


type Prepare = Callable[[World], Act]


def opens(world: World) -> Act:
    world.backed_up()
    session = world.services.new(SessionId)
    return Act(lambda: sessions.open_session(world.services, world.caller, session).session)


def renews(world: World) -> Act:
    session = world.open()
    return Act(lambda: sessions.renew(world.services, world.caller, session).session)


def gives_up(world: World) -> Act:
    session = world.open()
    return Act(lambda: sessions.abandon(world.services, world.caller, session))


def commits_resurrecting(world: World) -> Act:
    _, packs = world.backed_up(2)
    world.condemn(pack.name for pack in packs)
    order = world.ready(packs[:1], own=0)
    return Act(lambda: world.commit(order))


def commits_late(world: World) -> Act:
    order = world.ready()
    clock = world.services.settings.clock
    assert isinstance(clock, Clock)
    clock.move(LEASE)

    def late() -> str:
        with pytest.raises(SessionClosed) as refused:
            world.commit(order)
        return refused.value.state

    return Act(late)


def makes_account(world: World) -> Act:
    account = world.services.new(AccountId)

    def make_it() -> object:
        made = customers.create_account(world.services, account, world.account.customer, "second")
        assert world.services.vaults.state(account) is not None
        for container in (names.packs_container(account), names.meta_container(account)):
            assert world.services.vault_blobs.client.get_container_client(container).exists()
        return made

    return Act(make_it)


def makes_customer(world: World) -> Act:
    customer = world.services.new(CustomerId)
    return Act(lambda: customers.create_customer(world.services, customer, "Zweite GmbH"))


def makes_user(world: World) -> Act:
    user = world.services.new(UserId)
    order = users.CreateUser(user, world.account.customer, "Anna Muster", f"anna.{user}", Role.ADMIN)
    return Act(lambda: users.create_user(world.services, order).user)


def registers(world: World) -> Act:
    order = devices.RegisterDevice(world.services.new(DeviceId), world.account, "pc", "linux", csr())
    return Act(lambda: devices.register(world.services, order))


def renews_certificate(world: World) -> Act:
    clock = world.services.settings.clock
    assert isinstance(clock, Clock)
    clock.move(timedelta(days=700))
    order = RenewCertificate(world.services.new(CertificateId), world.id, world.caller.id, csr(world.device.key))
    return Act(lambda: devices.renew(world.services, order))


def ordered(world: World) -> MakeCode:
    return MakeCode(world.services.new(CodeId), world.account, world.services.new(UserId))


def makes_code(world: World) -> Act:
    order = ordered(world)
    return Act(lambda: enrolment.make_code(world.services, order).kept.id)


def enrols(world: World) -> Act:
    code = enrolment.make_code(world.services, ordered(world)).code
    request = csr()

    def come_in() -> object:
        return enrolment.enrol(world.services, Enrol(world.services.new(DeviceId), code, "pc", "linux", request))

    return Act(come_in)


def restores_something(world: World) -> Act:
    snapshot, _ = world.backed_up()
    order = OpenRestore(world.services.new(RestoreId), world.account, snapshot.id, world.caller)
    return Act(lambda: restores.open_restore(world.services, order).restore)


def waiting(world: World) -> None:
    now = world.services.now()
    caller = world.caller
    row = Seeding(caller.account, caller.id, caller.customer, SeedingState.WAITING, started_at=now, heard_at=now)
    world.services.seedings.insert(row)


def reminds(world: World) -> Act:
    waiting(world)
    order = RemindCustomer(world.id, world.caller.id, 2, world.services.now())
    return Act(lambda: seeding.remind_customer(world.services, order))


def closes_expired(world: World) -> Act:
    waiting(world)
    order = CloseSeeding(world.id, world.caller.id, SeedingState.EXPIRED, world.services.now())
    return Act(lambda: seeding.close_seeding(world.services, order))


ACTS: tuple[Prepare, ...] = (
    *(opens, renews, gives_up, commits_resurrecting, commits_late),
    *(
        makes_customer,
        makes_account,
        makes_user,
        registers,
        renews_certificate,
        makes_code,
        enrols,
        restores_something,
        reminds,
        closes_expired,
    ),
)


def told(value: object) -> str:
    """A text in which identities are numbered and noise is hidden, so that two worlds can be compared."""
    seen: dict[str, str] = {}
    # What a column's JSON brings back says UTC in another way.
    text = _NOISE.sub("<noise>", repr(value).replace("TzInfo(0)", "datetime.timezone.utc"))
    return _ID.sub(lambda found: seen.setdefault(found[0], f"<id {len(seen)}>"), text)


def everything(world: World) -> list[Any]:
    """All that storage holds of this customer, without the stamps that storage adds itself."""
    services, customer, account = world.services, world.account.customer, world.id
    found: list[Any] = [services.customers.all("customers", prefix=customer), services.accounts.all(customer)]
    found += [services.users.all(customer), services.devices.all(account), services.restores.all(account)]
    found += [
        services.charges.all(customer),
        services.seedings.all(account),
        services.vaults.snapshots(account),
        sorted(world.condemned()),
    ]
    found.append(services.vaults.client.query_entities("PartitionKey eq @p", parameters={"p": account}))
    return [list(rows) for rows in found]


@pytest.fixture
def faulty(azurite: Azurite, clock: Clock) -> FaultyServices:
    return FaultyServices(settings_for(azurite.connection_string, clock))


def played(faulty: FaultyServices, prepare: Prepare, at: int | None, moment: Moment) -> tuple[str, bool]:
    """What the caller is told and what storage holds in the end; and whether the fuse blew."""
    clock = faulty.settings.clock
    assert isinstance(clock, Clock)
    before = clock.at
    world = make(faulty)
    act = prepare(world)
    faulty.fuse.set(at, moment)
    try:
        answer = act.run()
    except Crash:
        answer = act.run()
    blew = at is not None and faulty.fuse.at is None
    faulty.fuse.set(None)
    if at is None:
        assert act.run() == answer or prepare is makes_user, "delivered twice, it changes nothing"
    outcome = told((answer, everything(world)))
    clock.at = before
    return outcome, blew


def no_pause(*_args: object, **_kwargs: object) -> None:
    """The SDK would wait 15 s."""


def cut_everywhere(faulty: FaultyServices, prepare: Prepare, moment: Moment) -> None:
    expected, blew = played(faulty, prepare, None, moment)
    assert not blew
    for call in range(1, MOST_CALLS):
        outcome, blew = played(faulty, prepare, call, moment)
        assert outcome == expected, f"cut at call {call} {moment}"
        if not blew:
            assert call > 1, "it calls storage at least once"
            return
    pytest.fail(f"it takes more than {MOST_CALLS} calls")


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
@pytest.mark.parametrize("prepare", ACTS, ids=lambda prepare: prepare.__name__)
def test_a_crash_at_any_call_and_a_repetition_end_as_if_nothing_had_happened(
    faulty: FaultyServices, prepare: Prepare, moment: Moment
) -> None:
    cut_everywhere(faulty, prepare, moment)


@pytest.mark.parametrize("prepare", [opens, renews, gives_up, commits_resurrecting], ids=lambda p: p.__name__)
def test_a_write_that_the_sdk_repeats_after_a_503_ends_as_if_it_had_not(
    faulty: FaultyServices, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It repeats the very write that storage has done already: its own ETag is in its way."""
    monkeypatch.setattr("azure.storage.blob._shared.policies.StorageRetryPolicy.sleep", no_pause)
    cut_everywhere(faulty, prepare, Moment.GATEWAY)
