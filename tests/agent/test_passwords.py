"""The first password is changed before anything else, and whatever answer gets lost, the user can come in."""

import getpass
import sys
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import LOGIN, PASSWORD, Fault, How, StandIn

NEW = "a password of her own"


@pytest.fixture
def chosen(tmp_path: Path) -> list[str]:
    (tmp_path / "new").write_text(f"{NEW}\n")
    return ["--new-password-file", str(tmp_path / "new")]


def test_a_first_password_is_changed_on_the_way_in(
    hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str]
) -> None:
    stand_in.must_change_password = True
    hort("register", *signing_in(stand_in, tmp_path), *chosen)
    assert stand_in.password == NEW
    assert len(stand_in.devices) == 1


def test_the_same_command_again_finds_the_password_changed(
    hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str]
) -> None:
    stand_in.password = NEW
    hort("register", *signing_in(stand_in, tmp_path), *chosen)
    assert stand_in.password == NEW


@pytest.mark.parametrize("how", [How.RESET_BEFORE, How.RESET_AFTER, How.CUT_SHORT])
@pytest.mark.parametrize("command", ["register", "password"])
def test_a_lost_answer_locks_nobody_out(
    hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str], command: str, how: How
) -> None:
    stand_in.must_change_password = True
    stand_in.faults = [Fault("/password", how)]
    hort(command, *signing_in(stand_in, tmp_path), *chosen)
    assert stand_in.password == NEW


def test_without_a_new_password_nothing_is_done(hort: Hort, tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.must_change_password = True
    said = hort("register", *signing_in(stand_in, tmp_path), code=Exit.FAILED)
    assert "--new-password-file" in said.err
    assert stand_in.password == PASSWORD
    assert not stand_in.devices


def test_a_new_password_that_is_too_weak_is_told_in_the_services_words(
    hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str]
) -> None:
    stand_in.must_change_password = True
    (tmp_path / "new").write_text("short")
    said = hort("register", *signing_in(stand_in, tmp_path), *chosen, code=Exit.FAILED)
    assert "at least 12 characters" in said.err
    assert not stand_in.devices


def test_a_password_is_changed_at_any_time(hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str]) -> None:
    document = hort("password", *signing_in(stand_in, tmp_path), *chosen, "--json").document
    assert document == {"service": stand_in.url, "login": LOGIN}
    assert stand_in.password == NEW


def test_who_knows_neither_password_is_refused(
    hort: Hort, tmp_path: Path, stand_in: StandIn, chosen: list[str]
) -> None:
    stand_in.password = "another's"
    for command in ("password", "register"):
        said = hort(command, *signing_in(stand_in, tmp_path), *chosen, code=Exit.NOT_AUTHORISED)
        assert "password is wrong" in said.err


@pytest.mark.parametrize(("typed", "code"), [([NEW, NEW], Exit.OK), ([NEW, "a slip"], Exit.USAGE)])
def test_a_new_password_is_typed_twice(
    hort: Hort,
    tmp_path: Path,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    typed: list[str],
    code: Exit,
) -> None:
    stand_in.must_change_password = True
    keys = iter(typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)

    def type_next(prompt: str) -> str:
        return next(keys)

    monkeypatch.setattr(getpass, "getpass", type_next)
    hort("register", *signing_in(stand_in, tmp_path), code=code)
    assert stand_in.password == (NEW if code is Exit.OK else PASSWORD)
