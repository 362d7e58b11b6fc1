"""Who is refused at the door is in the log of whose door it was; without end, it fills no log without end."""

# pyright: reportUnknownMemberType=false
import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import override

import jwt
import pytest
from argon2.profiles import CHEAPEST
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from localhost.azurite import Azurite
from shared.domain.audit import Act, Sound
from shared.domain.errors import NotAuthenticated
from shared.domain.lockout import FREE_FOR_USER, LockedOut
from shared.domain.tenancy import UserState
from shared.identity.passwords import Passwords, TooManyAtOnce
from shared.operations import audit, revocations, tokens, users
from shared.operations.passwords import Proof
from shared.services import Services
from shared.storage.users import PROVIDER
from tests.conftest import Clock, settings_for
from tests.operations.faults import FaultyServices
from tests.operations.persons import Person, firm, person
from tests.operations.world import World
from tests.quick.services import QuickServices

ADDRESS = "192.0.2.80"


@pytest.fixture
def anna(services: Services) -> Person:
    return person(services, firm(services).id)


def guess(services: Services, login: str, clock: Clock) -> None:
    """A wrong password that is heard, after whatever wait."""
    while True:
        try:
            tokens.for_password(services, Proof(login, "wrong", None))
        except LockedOut as locked:
            clock.move(timedelta(seconds=locked.seconds))
        except NotAuthenticated:
            return


def acts(services: Services, tenant: str | None) -> Sequence[Act]:
    assert tenant
    assert isinstance(audit.check(services, tenant), Sound)
    return [record.act for record in services.audit.records(tenant)]


def test_a_lock_out_and_its_doublings_are_in_the_log_of_the_user_s_tenant(anna: Person, clock: Clock) -> None:
    for _ in range(FREE_FOR_USER * 4 + 3):
        guess(anna.services, anna.login, clock)
    found = acts(anna.services, anna.customer)
    assert [act.outcome for act in found] == ["refused 5 times", "refused 10 times", "refused 20 times"]
    assert {(act.actor, act.deed) for act in found} == {("unknown", "user.log-in")}
    assert {act.subject for act in found} == {f"/customers/{anna.customer}/users/{anna.id}"}
    assert "wrong" not in repr(found)


def test_a_few_wrong_passwords_are_no_record(anna: Person, clock: Clock) -> None:
    for _ in range(3):
        for _ in range(FREE_FOR_USER - 1):
            guess(anna.services, anna.login, clock)
        anna.log_in()
    assert acts(anna.services, anna.customer) == []


def test_who_is_not_heard_makes_no_record(anna: Person, clock: Clock) -> None:
    """Otherwise a flood of requests were a flood of records."""
    for _ in range(FREE_FOR_USER):
        guess(anna.services, anna.login, clock)
    for _ in range(20):
        with pytest.raises(LockedOut):
            anna.log_in()
    assert len(acts(anna.services, anna.customer)) == 1


def test_a_disabled_user_s_log_ins_are_refused_on_record(anna: Person, clock: Clock) -> None:
    assert users.disable(anna.services, anna.customer, anna.id).state is UserState.DISABLED
    for _ in range(FREE_FOR_USER):
        with pytest.raises(NotAuthenticated):
            anna.log_in()
    assert [act.deed for act in acts(anna.services, anna.customer)] == ["user.log-in"]


def test_the_provider_s_people_are_in_the_provider_s_log(services: Services, clock: Clock) -> None:
    olga = person(services)
    for _ in range(FREE_FOR_USER):
        guess(services, olga.login, clock)
    assert acts(services, PROVIDER)[-1].subject == f"/provider/users/{olga.id}"


def test_a_name_that_nobody_has_is_in_no_chain_but_is_logged_without_the_name(
    services: Services, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """What is typed into the field for the name may be a password."""
    name, before = secrets.token_hex(12), count(services)
    with caplog.at_level(logging.WARNING, "hort.door"):
        for _ in range(FREE_FOR_USER * 2):
            guess(services, name, clock)
    assert [line.getMessage() for line in caplog.records if line.name == "hort.door"] == [
        f"log-in: a name that nobody has, refused {n} times, from local" for n in (5, 10)
    ]
    assert name not in caplog.text
    assert count(services) - before <= 2, "the two rows that are written over"


def count(services: Services) -> int:
    return sum(1 for _ in services.audit.client.list_entities(select=["RowKey"]))


class Counted(FaultyServices, QuickServices):
    """Quick, and every call to storage counted."""


def test_a_user_and_a_name_that_nobody_has_cost_as_many_calls_to_storage(azurite: Azurite, clock: Clock) -> None:
    """Also at the failure that makes a record: the time that it takes must not tell."""
    services = Counted(settings_for(azurite.connection_string, clock))
    login = person(services, firm(services).id).login

    def calls(name: str) -> list[int]:
        found: list[int] = []
        for _ in range(FREE_FOR_USER):
            services.fuse.set(None)
            guess(services, name, clock)
            found.append(services.fuse.calls)
        return found

    for name in (login, f"nobody.{login}"):
        with pytest.raises(NotAuthenticated):
            tokens.for_password(services, Proof(name, "wrong", None))  # whose tally is made, not changed
        clock.move(timedelta(days=2))
    known, unknown = calls(login), calls(f"nobody.{login}")
    assert known == unknown
    assert known[-1] > known[0]


def assertion(world: World, key: Ed25519PrivateKey) -> str:
    subject = f"{world.id}.{world.caller.id}"
    claims = {"iss": subject, "sub": subject, "aud": "x", "jti": secrets.token_hex(8), "iat": 0, "exp": 1}
    return jwt.encode(claims, key, "EdDSA")


def refused(world: World) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.for_assertion(world.services, assertion(world, Ed25519PrivateKey.generate()), ADDRESS)


def test_a_refused_assertion_is_in_the_log_of_the_device_s_customer(world: World) -> None:
    for _ in range(7):
        refused(world)
    found = acts(world.services, world.account.customer)
    assert [act.outcome for act in found] == ["refused 1 times", "refused 2 times", "refused 4 times"]
    assert {(act.actor, act.deed, act.address) for act in found} == {("unknown", "device.assert", ADDRESS)}
    assert {act.subject for act in found} == {f"/accounts/{world.id}/devices/{world.caller.id}"}


def test_a_revoked_device_that_goes_on_asking_is_told_of_but_rarely(world: World, clock: Clock) -> None:
    """A month, every twelve hours."""
    revocations.revoke_device(world.services, world.account, world.caller.id)
    for _ in range(60):
        refused(world)
        clock.move(timedelta(hours=12))
    assert len(acts(world.services, world.account.customer)) == 6


def test_after_a_quiet_day_the_next_refusal_is_the_first(world: World, clock: Clock) -> None:
    for _ in range(2):
        refused(world)
        clock.move(timedelta(days=1))
    outcomes = [act.outcome for act in acts(world.services, world.account.customer)]
    assert outcomes == ["refused 1 times"] * 2


class Full(Passwords):
    @override
    def is_right(self, password: str, password_hash: str | None) -> bool:
        raise TooManyAtOnce


class CrowdedServices(Services):
    @cached_property
    @override
    def passwords(self) -> Passwords:
        return Full(CHEAPEST)


def test_who_found_no_turn_for_the_hash_has_not_tried(anna: Person) -> None:
    crowded = CrowdedServices(anna.services.settings)
    for _ in range(FREE_FOR_USER + 1):
        with pytest.raises(TooManyAtOnce):
            tokens.for_password(crowded, Proof(anna.login, anna.password, ADDRESS))
    anna.log_in(address=ADDRESS)
