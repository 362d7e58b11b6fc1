"""Named natural persons only (G9), and no password that is tried first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.people import COMMON_PASSWORDS, REFUSED_WORDS, Fit, Unfit, check_password, check_person_name

LOGIN = "anna.berg@example.com"
given_names = st.sampled_from(["Anna", "José", "Zoë", "Jean-Luc", "Ævar", "伟", "Ngọc"])
family_names = st.sampled_from(["Berg", "O'Brien", "von der Heide", "Müller-Lüdenscheidt", "王", "Ó Briain"])


def reason(verdict: Fit | Unfit) -> str:
    assert isinstance(verdict, Unfit)
    return verdict.reason


@given(given_names, family_names)
def test_a_named_person_is_taken(given_name: str, family_name: str) -> None:
    assert check_person_name(f"{given_name} {family_name}") == Fit()


@given(st.sampled_from(sorted(REFUSED_WORDS)), given_names, st.sampled_from(["{0} {1}", "{1} {0}", "{1}-{0} {1}"]))
def test_a_role_is_no_person_whatever_stands_beside_it(word: str, name: str, form: str) -> None:
    for spelling in (word, word.upper(), word.title()):
        assert "not a person's name" in reason(check_person_name(form.format(spelling, name)))


@pytest.mark.parametrize(
    "name", ["Praktikant", "Lager 2", "Info", "Service-Team", "Büro Bern", "Office_Zürich", "TEST TEST", "Muster GmbH"]
)
def test_the_names_that_firms_give_to_shared_users_are_refused(name: str) -> None:
    assert "not a person's name" in reason(check_person_name(name))


@pytest.mark.parametrize("name", ["", " ", "Anna", "A Berg", "Anna B.", "A. B.", "- -", "Anna -", "'' ..", "Anna  "])
def test_given_and_family_name_are_both_wanted(name: str) -> None:
    assert "given name and family name" in reason(check_person_name(name))


@pytest.mark.parametrize("name", ["Anna Berg 2", "Anna Berg2", "4nna Berg"])
def test_digits_are_no_part_of_a_name(name: str) -> None:
    assert "digits" in reason(check_person_name(name))


def test_the_refused_words_are_the_provider_s_to_choose() -> None:
    assert check_person_name("Anna Lager", frozenset()) == Fit()
    assert "'berg'" in reason(check_person_name("Anna Berg", frozenset({"berg"})))


@given(st.text(max_size=60))
def test_every_name_gets_a_verdict(name: str) -> None:
    assert isinstance(check_person_name(name), Fit | Unfit)


@given(st.text("abcdefghijkmnpqrstuvwxyz -äß", min_size=12, max_size=64).filter(lambda text: len(set(text)) >= 6))
def test_a_long_password_needs_nothing_strange_in_it(password: str) -> None:
    assert check_password(f"{password}x", LOGIN) == Fit()


@given(st.text(max_size=11))
def test_a_short_password_is_refused(password: str) -> None:
    assert "12 characters" in reason(check_password(password, LOGIN))


@pytest.mark.parametrize("password", [LOGIN, LOGIN.upper(), "Anna.Maria.Berg"])
def test_the_login_name_is_no_password(password: str) -> None:
    assert "login name" in reason(check_password(password, f"{password.partition('@')[0].lower()}@example.com"))


@pytest.mark.parametrize(
    "password", [*sorted(COMMON_PASSWORDS), "aaaaaaaaaaaaaaaa", "1212121212121212", "Passwort1234"]
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert isinstance(check_password(password, LOGIN), Unfit)


def test_every_common_password_is_long_enough_to_be_chosen() -> None:
    """A shorter one in the list would do nothing."""
    assert min(len(password) for password in COMMON_PASSWORDS) >= 12
