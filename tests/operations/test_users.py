"""Users: named persons, one to a login name, with a first password that opens nothing but its own change (G9, N11)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.errors import Conflict, Malformed, NotAuthenticated, NotFound
from shared.domain.ids import CustomerId, UserId
from shared.domain.tenancy import Newcomer, Role, User, UserCaller, UserState
from shared.operations import customers, tokens, users
from shared.operations.users import ChangeUser, CreateUser, UserCreated
from shared.services import Services
from tests.conftest import Clock
from tests.operations.persons import Person, firm, newcomer, ordered, person


@pytest.fixture
def anna(services: Services) -> Person:
    return person(services, firm(services).id)


def refused(someone: Person, token: str) -> None:
    with pytest.raises(NotAuthenticated, match="session has ended"):
        tokens.caller_of(someone.services, token)


def test_a_first_password_opens_only_its_own_change(services: Services) -> None:
    new = newcomer(services, firm(services).id)
    granted = new.log_in()
    assert tokens.caller_of(services, granted.access_token) == Newcomer(new.id, new.customer, 0)
    assert granted.refresh_token is None
    new.change("a password of her own")
    refused(new, granted.access_token)
    caller = tokens.caller_of(services, new.log_in().access_token)
    assert caller == UserCaller(new.id, new.customer, Role.ADMIN, 1)


def test_a_repeated_order_is_one_user_with_a_new_first_password(services: Services) -> None:
    order = ordered(services, firm(services).id)
    first, second = (users.create_user(services, order) for _ in range(2))
    assert first.password != second.password
    assert second.user.id == first.user.id
    someone = Person(services, order.id, order.customer, order.login, second.password)
    someone.log_in()
    with pytest.raises(NotAuthenticated):
        someone.log_in(first.password)


def test_a_repeated_order_does_not_take_a_chosen_password_away(services: Services) -> None:
    order = ordered(services, None)
    made = users.create_user(services, order)
    someone = Person(services, order.id, None, order.login, made.password)
    someone.change("a password of her own")
    with pytest.raises(Conflict, match="has chosen a password"):
        users.create_user(services, order)
    someone.log_in()


def test_a_login_name_belongs_to_one_user_all_over_the_service(services: Services) -> None:
    order = ordered(services, firm(services).id)
    users.create_user(services, order)
    for customer in (order.customer, firm(services).id, None):
        taken = ordered(services, customer, order.login)
        with pytest.raises(Conflict, match="taken"):
            users.create_user(services, taken)
        with pytest.raises(NotFound):
            users.get_user(services, customer, taken.id)


def test_of_users_who_race_for_a_login_name_one_gets_it(services: Services) -> None:
    customer = firm(services).id
    login = ordered(services, customer).login

    def create(order: CreateUser) -> UserCreated | None:
        try:
            return users.create_user(services, order)
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [one for one in pool.map(create, [ordered(services, customer, login) for _ in range(4)]) if one]
    assert len(made) == 1
    Person(services, made[0].user.id, customer, login, made[0].password).log_in()


@pytest.mark.parametrize("name", ["Praktikant", "Anna", "Lager 2", "Service Team"])
def test_who_is_no_named_person_is_refused_and_takes_no_login_name(services: Services, name: str) -> None:
    customer = firm(services).id
    nobody = ordered(services, customer, name=name)
    with pytest.raises(Malformed, match="name: "):
        users.create_user(services, nobody)
    users.create_user(services, ordered(services, customer, nobody.login))


def test_the_provider_says_which_names_are_refused(services: Services) -> None:
    lax = Services(services.settings.model_copy(update={"refused_names": frozenset({"muster"})}))
    users.create_user(lax, ordered(services, None, name="Anna Lager"))
    with pytest.raises(Malformed, match="muster"):
        users.create_user(lax, ordered(services, None))


def test_a_user_of_no_customer_that_exists_is_refused_and_takes_no_name(services: Services) -> None:
    lost = ordered(services, services.new(CustomerId))
    with pytest.raises(NotFound):
        users.create_user(services, lost)
    users.create_user(services, ordered(services, firm(services).id, lost.login))


def test_the_first_use_of_the_first_password_begins_the_service_once(services: Services, clock: Clock) -> None:
    customer = firm(services)
    first, second = newcomer(services, customer.id), newcomer(services, customer.id)
    assert customers.get_customer(services, customer.id).service_began_at is None
    begun = clock()
    first.log_in()
    clock.move(timedelta(days=1))
    first.log_in()
    second.log_in()
    assert customers.get_customer(services, customer.id).service_began_at == begun
    assert (first.row().delivered_at, second.row().delivered_at) == (begun, clock())


def test_an_operator_s_word_that_it_was_delivered_counts_as_the_use(services: Services, clock: Clock) -> None:
    customer = firm(services)
    new = newcomer(services, customer.id)
    told = users.confirm_delivery(services, customer.id, new.id)
    later = clock.move(timedelta(days=1))
    new.log_in()
    assert users.confirm_delivery(services, customer.id, new.id) == told
    assert told.delivered_at == customers.get_customer(services, customer.id).service_began_at
    assert told.delivered_at != later


def test_a_wrong_first_password_begins_nothing(services: Services) -> None:
    new = newcomer(services, firm(services).id)
    with pytest.raises(NotAuthenticated):
        new.log_in("wrong")
    assert new.row().delivered_at is None


def test_of_first_log_ins_at_once_each_is_let_in(services: Services) -> None:
    customer = firm(services)
    new = newcomer(services, customer.id)
    with ThreadPoolExecutor(4) as pool:
        granted = [pool.submit(new.log_in) for _ in range(4)]
    assert not any(one.result().refresh_token for one in granted)
    assert customers.get_customer(services, customer.id).service_began_at == new.row().delivered_at


def test_a_disabled_user_is_out_at_once_and_comes_back_with_a_new_log_in(anna: Person) -> None:
    token = anna.log_in().access_token
    tokens.caller_of(anna.services, token)
    assert users.disable(anna.services, anna.customer, anna.id).state is UserState.DISABLED
    refused(anna, token)
    with pytest.raises(NotAuthenticated, match="user name or password is wrong"):
        anna.log_in()
    users.enable(anna.services, anna.customer, anna.id)
    refused(anna, token)
    tokens.caller_of(anna.services, anna.log_in().access_token)


def test_disabling_and_enabling_bear_repetition(anna: Person) -> None:
    once = users.disable(anna.services, anna.customer, anna.id)
    assert users.disable(anna.services, anna.customer, anna.id) == once
    back = users.enable(anna.services, anna.customer, anna.id)
    assert users.enable(anna.services, anna.customer, anna.id) == back


def test_another_customer_s_user_does_not_exist(anna: Person) -> None:
    elsewhere = firm(anna.services).id
    for act in (users.disable, users.enable, users.renew_password, users.confirm_delivery, users.get_user):
        with pytest.raises(NotFound):
            act(anna.services, elsewhere, anna.id)
        with pytest.raises(NotFound):
            act(anna.services, None, UserId("0" * 26))


def test_a_forgotten_password_is_replaced_by_a_first_one_and_sessions_end(anna: Person) -> None:
    token, delivered = anna.log_in().access_token, anna.row().delivered_at
    renewed = users.renew_password(anna.services, anna.customer, anna.id)
    refused(anna, token)
    with pytest.raises(NotAuthenticated):
        anna.log_in()
    assert anna.log_in(renewed.password).refresh_token is None
    assert renewed.user.must_change_password
    assert renewed.user.delivered_at == delivered
    assert renewed.password not in repr(renewed)


def changed(someone: Person, name: str | None = None, role: Role | None = None) -> User:
    assert someone.customer
    return users.change(someone.services, ChangeUser(someone.id, someone.customer, name, role))


def test_another_role_ends_the_sessions_that_hold_the_old_one(anna: Person) -> None:
    newcomer(anna.services, anna.customer)
    token = anna.log_in().access_token
    assert changed(anna, role=Role.MEMBER).role is Role.MEMBER
    refused(anna, token)
    caller = tokens.caller_of(anna.services, anna.log_in().access_token)
    assert isinstance(caller, UserCaller)
    assert caller.role is Role.MEMBER


def test_another_name_ends_nothing_and_is_a_person_s(anna: Person) -> None:
    token = anna.log_in().access_token
    assert changed(anna, name="Anna Meister").name == "Anna Meister"
    tokens.caller_of(anna.services, token)
    with pytest.raises(Malformed, match="'lager'"):
        changed(anna, name="Lager Nord")
    assert changed(anna).name == "Anna Meister"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.BILLING, Role.AUDITOR])
def test_nobody_of_a_customer_becomes_one_of_the_provider(anna: Person, role: Role) -> None:
    before = anna.row()
    with pytest.raises(Malformed, match="admin or member"):
        changed(anna, role=role)
    assert anna.row() == before


def test_the_last_administrator_stays_one_and_a_disabled_one_is_none(anna: Person) -> None:
    other = newcomer(anna.services, anna.customer)
    users.disable(anna.services, anna.customer, other.id)
    with pytest.raises(Conflict, match="last administrator"):
        changed(anna, role=Role.MEMBER)
    users.enable(anna.services, anna.customer, other.id)
    changed(anna, role=Role.MEMBER)
    with pytest.raises(Conflict, match="last administrator"):
        changed(other, role=Role.MEMBER)


def test_of_administrators_who_demote_each_other_at_once_one_is_left(anna: Person) -> None:
    everybody = [anna, *(newcomer(anna.services, anna.customer) for _ in range(3))]

    def demote(someone: Person) -> bool:
        try:
            return changed(someone, role=Role.MEMBER).role is Role.MEMBER
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(demote, everybody)) == [False, True, True, True]
    assert [someone.row().role for someone in everybody].count(Role.ADMIN) == 1
