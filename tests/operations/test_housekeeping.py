"""What has ended is removed, what has not stays, however often and in however small windows one looks."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from shared.contracts.housekeeping import Ended, Place, Sweep
from shared.domain.housekeeping import CLOCKS_DIFFER
from shared.domain.ids import AccountId, CertificateId, CodeId, UserId
from shared.domain.lockout import Tally
from shared.operations import enrolment, housekeeping, refreshing
from shared.operations.enrolment import MakeCode
from shared.services import Services
from shared.storage.enrolment import CODE_ROW, REVOKED, CodeName, Revocation
from shared.storage.records import Reservation, UsedAssertion
from shared.storage.users import FAMILY_ROW, TALLY_ROW
from tests.conftest import Clock
from tests.operations.persons import person
from tests.operations.world import World

LONG_AGO = timedelta(days=400)

type IsThere = Callable[[], object]


def one_of_each(world: World) -> Mapping[Ended, IsThere]:
    """Each made now, and how to see whether it is still there."""
    services, now = world.services, world.services.now()
    family = refreshing.begin(services, person(services).row()).partition(".")[0]
    code = enrolment.make_code(services, MakeCode(services.new(CodeId), world.account, services.new(UserId))).kept
    tally = services.tallies.insert(Tally(f"login-{secrets.token_hex(32)}", 3, now)).value
    used = services.assertions.insert(UsedAssertion(services.new(AccountId), secrets.token_hex(32), now)).value
    gone = services.revocations.insert(Revocation(services.new(CertificateId), now, now)).value
    key = Reservation(services.new(UserId), secrets.token_hex(32), "", "", now)
    services.reservations.insert(key)
    return {
        Ended.TALLIES: lambda: services.tallies.get(tally.subject, TALLY_ROW),
        Ended.FAMILIES: lambda: services.families.get(family, FAMILY_ROW),
        Ended.CODES: lambda: services.codes.get(code.account, code.id),
        Ended.CODE_NAMES: lambda: services.code_names.get(code.sha256, CODE_ROW),
        Ended.ASSERTIONS: lambda: services.assertions.get(used.account, used.jti),
        Ended.RESERVATIONS: lambda: services.reservations.get(key.caller, key.key_sha256),
        Ended.REVOCATIONS: lambda: services.revocations.get(REVOKED, gone.certificate),
    }


def kept_house(services: Services) -> int:
    """A whole round; how many calls it took."""
    place, calls = Place(Ended.TALLIES), 0
    while place is not None:
        place, calls = housekeeping.sweep(services, Sweep(place)).place, calls + 1
    return calls


def there(things: Mapping[Ended, IsThere]) -> set[Ended]:
    return {kind for kind, is_there in things.items() if is_there()}


@pytest.mark.parametrize("window", [500, 1])
def test_what_ended_is_removed_and_what_lives_stays(
    world: World, clock: Clock, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move(-LONG_AGO)
    old = one_of_each(world)
    clock.move(LONG_AGO)
    living = one_of_each(world)
    assert there(old) == there(living) == set(Ended)
    monkeypatch.setattr(housekeeping, "WINDOW", window)
    calls = kept_house(world.services)
    assert there(old) == set()
    assert there(living) == set(Ended)
    assert calls > 1 or window > 1, "each call is bounded"
    kept_house(world.services)
    assert there(living) == set(Ended)


@pytest.mark.parametrize(
    ("kind", "lives"),
    [
        (Ended.TALLIES, timedelta(days=1)),
        (Ended.FAMILIES, timedelta(days=30)),
        (Ended.CODES, timedelta(days=91)),
        (Ended.CODE_NAMES, timedelta(days=91)),
        (Ended.ASSERTIONS, timedelta()),
        (Ended.RESERVATIONS, timedelta(days=30)),
        (Ended.REVOCATIONS, timedelta()),
    ],
)
def test_each_thing_is_kept_for_as_long_as_it_means_something(
    world: World, clock: Clock, kind: Ended, lives: timedelta
) -> None:
    """And an hour more, for the clocks of others."""
    age = lives + CLOCKS_DIFFER
    clock.move(-age)
    is_there = one_of_each(world)[kind]
    clock.move(age - timedelta(seconds=1))
    kept_house(world.services)
    assert is_there()
    clock.move(timedelta(seconds=1))
    kept_house(world.services)
    assert not is_there()


def test_a_row_that_somebody_has_written_since_it_was_read_stays(services: Services) -> None:
    subject = secrets.token_hex(32)
    read = services.code_names.insert(CodeName(subject, services.new(AccountId), services.new(CodeId), services.now()))
    services.code_names.replace(read, read.value)
    assert not services.code_names.remove_unchanged(read)
    found = services.code_names.get(subject, CODE_ROW)
    assert found
    assert services.code_names.remove_unchanged(found)
    assert services.code_names.get(subject, CODE_ROW) is None
