"""Users over HTTP: the first password, the lock, sessions that go on and sessions that end; and all of it on record."""

import secrets

from demo.stack import OPERATOR
from shared.domain.audit import Deed
from shared.domain.families import GRACE
from shared.domain.lockout import FREE_FOR_USER
from shared.identity.passwords import TooManyAtOnce
from shared.services import Services
from shared.storage.users import FAMILY_ROW
from tests.service.client import Answer, Client
from tests.service.people import Customer, Service, User
from triggers.problems import problem_of

USERS = "/customers/{}/users"


def guess(service: Service, login: str, password: str = "wrong") -> Answer:
    return service.nobody.ask_token(grant_type="password", username=login, password=password)


def refresh(service: Service, token: str) -> Answer:
    service.secrets.add(token)
    return service.nobody.ask_token(grant_type="refresh_token", refresh_token=token)


def test_a_first_password_opens_nothing_but_its_own_change(service: Service, customer: Customer) -> None:
    new = customer.newcomer()
    token = guess(service, new.login, new.password).made(200)
    assert token["refresh_token"] is None
    client = service.nobody.holding(token["access_token"])
    client.get("/accounts").refused(403, "password-change-required")
    body = {"old_password": new.password, "new_password": secrets.token_hex(16)}
    service.secrets.add(body["new_password"])
    assert client.post("/password", body).made(200)["must_change_password"] is False
    client.get("/accounts").refused(401, "not-authenticated")
    service.log_in(new.login, body["new_password"]).get("/accounts").made(200)


def test_the_first_log_in_is_the_beginning_of_the_service(service: Service, operator: Client) -> None:
    customer = service.customer(operator)
    user = customer.newcomer()

    def begun() -> str | None:
        listed = operator.get("/customers", limit=1000).made(200)["items"]
        return next(item["service_began_at"] for item in listed if item["id"] == customer.id)

    assert begun() is None
    user.log_in()
    assert begun() == operator.get(f"{USERS.format(customer.id)}/{user.id}").made(200)["delivered_at"]


def test_too_many_wrong_passwords_are_answered_with_the_time_to_wait(service: Service, customer: Customer) -> None:
    user = customer.user()
    for _ in range(FREE_FOR_USER):
        guess(service, user.login).refused(401, "not-authenticated")
    locked = guess(service, user.login, user.password)
    problem = locked.refused(429, "too-many-attempts")
    assert locked.headers["Retry-After"] == str(problem["retry_after_seconds"])
    assert 1 <= problem["retry_after_seconds"] <= 2


def test_an_address_in_front_of_the_service_is_what_the_front_end_says(timeless: Service) -> None:
    """What the client itself puts before it does not help."""

    def from_address(last: str) -> int:
        headers = {"X-Forwarded-For": f"{secrets.token_hex(2)}, {last}:{1024 + secrets.randbelow(60000)}"}
        form = f"grant_type=password&username={secrets.token_hex(8)}&password=wrong".encode()
        return timeless.nobody.call("POST", "/token", form, headers).status

    answers = [from_address("198.51.100.77") for _ in range(21)]
    assert answers == [401] * 20 + [429]
    assert from_address("198.51.100.78") == 401


def test_a_session_goes_on_with_each_refresh_token_once(timeless: Service) -> None:
    user = timeless.customer().user()
    first = guess(timeless, user.login, user.password).made(200)["refresh_token"]
    refresh(timeless, first).made(200)
    renewed = refresh(timeless, first).made(200)  # as who did not hear the answer asks again
    timeless.nobody.holding(renewed["access_token"]).get("/accounts").made(200)
    timeless.advance(seconds=GRACE.total_seconds())
    refresh(timeless, first).refused(401, "not-authenticated")
    refresh(timeless, renewed["refresh_token"]).refused(401, "not-authenticated")


def test_who_logs_out_leaves_no_session_behind(service: Service, customer: Customer) -> None:
    user = customer.user("member")
    one, other = (guess(service, user.login, user.password).made(200) for _ in range(2))
    client = service.nobody.holding(one["access_token"])
    client.post("/log-out", {"refresh_token": one["refresh_token"]}).made(200)
    refresh(service, one["refresh_token"]).refused(401, "not-authenticated")
    other = refresh(service, other["refresh_token"]).made(200)
    assert client.post("/log-out", {"everywhere": True}).made(200)["everywhere"] is True
    refresh(service, other["refresh_token"]).refused(401, "not-authenticated")
    client.get("/accounts").refused(401, "not-authenticated")


def test_another_role_is_another_session(service: Service, customer: Customer) -> None:
    user, admin = customer.user("member"), customer.user().log_in()
    client, path = user.log_in(), f"{USERS.format(customer.id)}/{user.id}"
    changed = admin.call("PATCH", path, {"name": "Maria Muster", "role": "admin"}).made(200)
    assert (changed["name"], changed["role"]) == ("Maria Muster", "admin")
    client.get("/accounts").refused(401, "not-authenticated")
    user.log_in().get("/audit").made(200)


def test_the_last_administrator_stays_one(customer: Customer, operator: Client) -> None:
    lonely = customer.service.customer(operator)
    path = f"{USERS.format(lonely.id)}/{lonely.newcomer().id}"
    operator.call("PATCH", path, {"role": "member"}).refused(409, "conflict")


def test_a_lock_out_is_in_the_customer_s_log(service: Service, operator: Client) -> None:
    customer = service.customer(operator)
    login = customer.newcomer().login
    for _ in range(FREE_FOR_USER):
        guess(service, login).refused(401, "not-authenticated")
    items = operator.get(f"/customers/{customer.id}/audit", deed="user.log-in").made(200)["items"]
    assert [(item["actor"], item["outcome"]) for item in items] == [("unknown", "refused 5 times")]


def test_a_session_is_idle_for_a_month_at_most(timeless: Service) -> None:
    user = timeless.customer().user()
    token = guess(timeless, user.login, user.password).made(200)["refresh_token"]
    timeless.advance(days=29)
    token = refresh(timeless, token).made(200)["refresh_token"]
    timeless.advance(days=31)
    refresh(timeless, token).refused(401, "not-authenticated")
    families = Services(timeless.stack.settings).families
    assert families.get(token.partition(".")[0], FAMILY_ROW) is None, "house-keeping has been there at night"


def test_a_disabled_user_is_out_at_once(customer: Customer) -> None:
    user, admin = customer.user("member"), customer.user().log_in()
    client, path = user.log_in(), f"{USERS.format(customer.id)}/{user.id}"
    client.get("/accounts").made(200)
    assert admin.post(f"{path}/disable").made(200)["state"] == "disabled"
    client.get("/accounts").refused(401, "not-authenticated")
    guess(customer.service, user.login, user.password).refused(401, "not-authenticated")
    assert admin.post(f"{path}/enable").made(200)["state"] == "active"
    user.log_in().get("/accounts").made(200)


def test_nobody_disables_oneself(customer: Customer) -> None:
    admin = customer.user()
    admin.log_in().post(f"{USERS.format(customer.id)}/{admin.id}/disable").refused(409, "conflict")


def test_a_forgotten_password_is_replaced_by_a_first_one(
    service: Service, customer: Customer, operator: Client
) -> None:
    user = customer.user("member")
    client, path = user.log_in(), f"{USERS.format(customer.id)}/{user.id}/first-password"
    made = operator.post(path).made(200)
    client.get("/accounts").refused(401, "not-authenticated")
    guess(service, user.login, user.password).refused(401, "not-authenticated")
    User(service, user.id, user.login, made["password"]).settled().log_in().get("/accounts").made(200)


def test_an_operator_changes_its_own_password_like_everybody(timeless: Service) -> None:
    operator = timeless.operator()
    body = {"old_password": "not the password", "new_password": secrets.token_hex(16)}
    operator.post("/password", body).refused(400, "invalid-request", "old_password")
    assert operator.get("/customers").status == 200
    timeless.log_in(OPERATOR, timeless.stack.operator_password())


def test_what_is_done_to_users_is_on_record_and_no_password_with_it(service: Service, operator: Client) -> None:
    customer = service.customer(operator)
    admin, member = customer.user(), customer.user("member")
    client, path = admin.log_in(), f"{USERS.format(customer.id)}/{member.id}"
    for deed in ("disable", "enable", "first-password"):
        client.post(f"{path}/{deed}").made(200)
    operator.post(f"{path}/delivered").made(200)
    client.post(f"{USERS.format(customer.id)}/{admin.id}/disable").refused(409, "conflict")
    acts = [record.act for record in Services(service.stack.settings).audit.records(customer.id)]
    told = [(act.deed.value, act.outcome) for act in acts if act.deed is not Deed.CREATE_USER]
    assert told == [
        ("user.change-password", "done"),
        ("user.change-password", "done"),
        ("user.disable", "done"),
        ("user.enable", "done"),
        ("user.renew-password", "done"),
        ("user.confirm-delivery", "done"),
        ("user.disable", "conflict"),
    ]
    assert {act.actor for act in acts if act.deed is Deed.ENABLE_USER} == {f"user {admin.id}"}
    assert not service.secrets.leaked_into(repr(acts))


def test_the_published_keys_may_be_kept_and_nothing_else_may(service: Service, operator: Client) -> None:
    assert service.nobody.get("/jwks").headers["Cache-Control"] == "public, max-age=300"
    assert operator.get("/customers").headers["Cache-Control"] == "no-store"
    assert service.nobody.get("/accounts").headers["Cache-Control"] == "no-store"


def test_who_comes_in_a_crowd_is_told_to_come_again() -> None:
    problem = problem_of(TooManyAtOnce("a crowd"), "/token")
    assert (problem.status, problem.type) == (503, "urn:hort:problem:busy"), "each 503 has its Retry-After"
