"""The provider's tool on the service's own settings: people and keys, on record, and no secret but the one printed."""

import json
import secrets
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from operator_cli.__main__ import app
from shared.domain.audit import Deed, Sound
from shared.domain.errors import Malformed, NotAuthenticated, NotFound
from shared.domain.tenancy import UserState
from shared.operations import audit, tokens
from shared.operations.passwords import Proof
from shared.services import Services
from shared.storage.users import LOGIN_ROW, PROVIDER

type Run = Callable[..., str]


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; what it prints."""
    told = services.settings
    monkeypatch.setenv("HORT_STORAGE", told.storage.get_secret_value())
    monkeypatch.setenv("HORT_SIGNING_KEYS", told.signing_keys.get_secret_value())
    monkeypatch.setenv("HORT_CA", told.ca.get_secret_value())
    monkeypatch.setenv("HORT_KEY_DIR", str(told.key_dir))

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, list(arguments), catch_exceptions=False).output.strip()

    return run


@pytest.fixture
def login() -> str:
    return f"bea.{secrets.token_hex(8)}@provider.example"


def can_log_in(services: Services, login: str, password: str) -> bool:
    try:
        tokens.for_password(services, Proof(login, password, None))
    except NotAuthenticated:
        return False
    return True


def test_staff_come_and_go_and_come_again_on_record(services: Services, run: Run, login: str) -> None:
    first = run("staff", "add", "Bea Buch", login.upper(), "--role", "billing")
    assert can_log_in(services, login, first)
    run("staff", "disable", login)
    assert not can_log_in(services, login, first)
    run("staff", "enable", login)
    second = run("staff", "first-password", login)
    assert (can_log_in(services, login, first), can_log_in(services, login, second)) == (False, True)
    claim = services.logins.get(login, LOGIN_ROW)
    assert claim
    user = services.users.get(PROVIDER, claim.value.user)
    assert user
    assert (user.value.role, user.value.state) == ("billing", UserState.ACTIVE)
    acts = [r.act for r in services.audit.records(PROVIDER) if r.act.subject.endswith(claim.value.user)]
    assert [act.deed for act in acts] == [
        Deed.CREATE_USER,
        Deed.DISABLE_USER,
        Deed.ENABLE_USER,
        Deed.RENEW_PASSWORD,
    ]
    assert isinstance(audit.check(services, PROVIDER), Sound)


def test_who_is_no_named_person_is_not_staff_either(run: Run, login: str) -> None:
    with pytest.raises(Malformed, match="named persons"):
        run("staff", "add", "Service Team", login)


def test_a_customer_s_role_is_not_the_provider_s_to_hold(run: Run, login: str) -> None:
    assert "operator, billing or auditor" in run("staff", "add", "Bea Buch", login, "--role", "admin")


def test_a_login_of_nobody_s_is_told(run: Run, login: str) -> None:
    with pytest.raises(NotFound, match="nobody of the provider's"):
        run("staff", "disable", login)


def test_signing_keys_are_changed_in_three_steps(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[list[str]] = []
    for command in (["new", "one"], ["announce", "two"], ["promote"], ["retire"]):
        printed = run("signing-keys", *command)
        monkeypatch.setenv("HORT_SIGNING_KEYS", printed)
        steps.append([key["kid"] for key in json.loads(printed)["keys"]])
    assert steps == [["one"], ["one", "two"], ["two", "one"], ["two"]]
