"""Guessing is slow however it is tried, and a new password ends every session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.errors import Malformed, NotAuthenticated
from shared.domain.lockout import FREE_FOR_ADDRESS, FREE_FOR_USER, LockedOut
from shared.operations import tokens
from shared.operations.passwords import Proof
from shared.services import Services
from shared.storage.tables import Changed
from tests.conftest import Clock
from tests.operations.persons import Person, person

WRONG = (NotAuthenticated, "user name or password is wrong")


def guess(services: Services, login: str, address: str | None = None) -> type[Exception]:
    """How a wrong password is answered."""
    with pytest.raises((NotAuthenticated, LockedOut)) as refused:
        tokens.for_password(services, Proof(login, "wrong", address))
    return refused.type


@pytest.fixture
def anna(services: Services) -> Person:
    return person(services)


def test_after_a_few_wrong_passwords_the_right_one_has_to_wait_too(anna: Person, clock: Clock) -> None:
    assert [guess(anna.services, anna.login) for _ in range(FREE_FOR_USER)] == [NotAuthenticated] * FREE_FOR_USER
    with pytest.raises(LockedOut) as locked:
        anna.log_in()
    clock.move(timedelta(seconds=locked.value.seconds))
    anna.log_in()


def test_the_right_password_forgives_the_wrong_ones(anna: Person) -> None:
    for _ in range(3):
        for _ in range(FREE_FOR_USER - 1):
            guess(anna.services, anna.login)
        anna.log_in()


def test_each_guess_beyond_costs_twice_the_time_of_the_last(anna: Person, clock: Clock) -> None:
    for _ in range(FREE_FOR_USER):
        guess(anna.services, anna.login)
    waits: list[int] = []
    for _ in range(4):
        with pytest.raises(LockedOut) as locked:
            anna.log_in("wrong")
        waits.append(locked.value.seconds)
        clock.move(timedelta(seconds=waits[-1]))
        assert guess(anna.services, anna.login) is NotAuthenticated
    assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("login", ["nobody@example.org", "no name \u0000 at all", "", "x" * 5000, "\ud800"])
def test_who_does_not_exist_is_locked_out_alike(services: Services, clock: Clock, login: str) -> None:
    clock.move(timedelta(days=2))  # whatever other tests did to this name is forgotten
    answers = [guess(services, login) for _ in range(FREE_FOR_USER + 1)]
    assert answers == [NotAuthenticated] * FREE_FOR_USER + [LockedOut]


def test_the_spelling_of_a_login_name_gives_no_more_guesses(anna: Person) -> None:
    spellings = [anna.login, anna.login.upper(), f" {anna.login}", f"{anna.login}\t", anna.login.title()]
    for n in range(FREE_FOR_USER):
        guess(anna.services, spellings[n % len(spellings)])
    assert guess(anna.services, anna.login.upper()) is LockedOut


def test_an_address_that_tries_many_users_is_locked_out_of_all(anna: Person, clock: Clock) -> None:
    clock.move(timedelta(days=2))
    for n in range(FREE_FOR_ADDRESS):
        assert guess(anna.services, f"user{n}.{anna.login}", f"198.51.100.7:{n + 1024}") is NotAuthenticated
    with pytest.raises(LockedOut):
        anna.log_in(address="198.51.100.7:9")
    anna.log_in(address="198.51.100.8:9")


def test_one_s_own_log_ins_do_not_pay_for_guesses_from_the_same_address(anna: Person, clock: Clock) -> None:
    clock.move(timedelta(days=2))
    address = "203.0.113.9"
    for n in range(FREE_FOR_ADDRESS - 1):
        anna.log_in(address=address)
        guess(anna.services, f"user{n}.{anna.login}", address)
    guess(anna.services, f"last.{anna.login}", address)
    with pytest.raises(LockedOut):
        anna.log_in(address=address)


def test_guesses_at_once_are_no_more_than_guesses_in_a_row(anna: Person) -> None:
    """They are counted before they are looked at; who finds too great a crowd is not heard, and told to come again."""

    def try_once(n: int) -> type[Exception]:
        with pytest.raises((NotAuthenticated, LockedOut, Changed)) as refused:
            anna.log_in(f"guess {n}")
        return refused.type

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(try_once, range(24)))
    assert 1 <= answers.count(NotAuthenticated) <= FREE_FOR_USER


def test_a_new_password_ends_every_session(anna: Person) -> None:
    before = [anna.log_in() for _ in range(2)]
    anna.change("another long password")
    for granted in before:
        with pytest.raises(NotAuthenticated, match="session has ended"):
            tokens.caller_of(anna.services, granted.access_token)
        assert granted.refresh_token
        with pytest.raises(NotAuthenticated, match="session has ended"):
            tokens.for_refresh(anna.services, granted.refresh_token)
    tokens.caller_of(anna.services, anna.log_in().access_token)


def test_the_old_password_is_wanted_and_guessing_it_locks_out(anna: Person) -> None:
    right = anna.password
    for _ in range(FREE_FOR_USER):
        with pytest.raises(Malformed, match="old_password: is wrong"):
            anna.change("another long password", old="wrong")
    with pytest.raises(LockedOut):
        anna.change("another long password", old=right)


@pytest.mark.parametrize("new", ["short", "passwort1234", "aaaaaaaaaaaaaaa"])
def test_a_weak_password_is_refused_and_nothing_changes(anna: Person, new: str) -> None:
    before, right = anna.row(), anna.password
    with pytest.raises(Malformed, match="new_password: "):
        anna.change(new)
    assert anna.row() == before
    anna.log_in(right)


def test_the_same_password_is_no_change(anna: Person) -> None:
    with pytest.raises(Malformed, match="is the old one"):
        anna.change(anna.password)


def test_a_password_is_the_same_on_every_keyboard(anna: Person) -> None:
    anna.change("gr\u00fc\u00dfe aus z\u00fcrich")
    anna.log_in("gru\u0308\u00dfe aus zu\u0308rich")


def test_a_password_shows_in_no_report(anna: Person) -> None:
    proof = Proof(anna.login, "my secret password", None)
    assert "my secret password" not in repr(proof)
    assert anna.log_in().access_token not in repr(anna.log_in())
