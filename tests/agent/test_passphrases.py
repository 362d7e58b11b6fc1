"""`hort passphrase`: a second way into the account, which costs the first one nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli.exits import Exit
from agent.passphrases import refuse_if_weak
from shared.domain.errors import Malformed
from tests.agent.command_line import Hort, signing_in
from tests.agent.stand_in import StandIn

GOOD = "anchor lagoon velvet thirteen"

type NewHome = Callable[[str], None]


@pytest.fixture
def who(hort: Hort, tmp_path: Path, stand_in: StandIn) -> list[str]:
    """How to sign in, and a device that has joined with `kit.txt`."""
    who = signing_in(stand_in, tmp_path)
    hort("register", *who, "--kit", "kit.txt")
    return who


@pytest.fixture
def new_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewHome:
    return lambda name: monkeypatch.setenv("HORT_HOME", str(tmp_path / name))


def written(folder: Path, passphrase: str) -> list[str]:
    (folder / "passphrase").write_text(f"{passphrase}\n", encoding="utf-8")
    return ["--passphrase-file", str(folder / "passphrase")]


def test_a_new_device_joins_with_the_passphrase_and_no_kit(
    hort: Hort, who: list[str], tmp_path: Path, new_home: NewHome
) -> None:
    fingerprint = hort("status", "--json").document["fingerprint"]
    hort("passphrase", "set", *who[2:], *written(tmp_path, GOOD))
    (tmp_path / "kit.txt").unlink()
    for command in ("register", "recover"):
        new_home(command)
        assert hort(command, *who, *written(tmp_path, GOOD), "--json").document["fingerprint"] == fingerprint


def test_a_wrong_passphrase_says_so_and_leaves_no_trace(
    hort: Hort, who: list[str], tmp_path: Path, new_home: NewHome, stand_in: StandIn
) -> None:
    hort("passphrase", "set", *who[2:], *written(tmp_path, GOOD))
    slots = dict(stand_in.slots)
    new_home("new")
    said = hort("recover", *who, *written(tmp_path, f"{GOOD}?"), code=Exit.WRONG_KEY)
    assert "passphrase" in said.err
    assert (len(stand_in.devices), stand_in.slots) == (1, slots)
    assert [path.name for path in (tmp_path / "new" / "config").iterdir()] == ["lock"]
    hort("recover", *who, "--kit", "kit.txt")


def test_a_wrong_passphrase_does_not_use_up_the_code(
    hort: Hort, who: list[str], tmp_path: Path, new_home: NewHome, stand_in: StandIn
) -> None:
    hort("passphrase", "set", *who[2:], *written(tmp_path, GOOD))
    stand_in.codes["code"] = None
    coming_in = ["--service", stand_in.url, "--code", "code"]
    new_home("new")
    hort("recover", *coming_in, *written(tmp_path, "something else"), code=Exit.WRONG_KEY)
    hort("recover", *coming_in, *written(tmp_path, GOOD))
    assert len(stand_in.devices) == 2


def test_of_two_passphrases_the_later_opens_and_the_kit_as_before(
    hort: Hort, who: list[str], tmp_path: Path, new_home: NewHome
) -> None:
    for passphrase in (GOOD, "kettle orbit mustard window"):
        hort("passphrase", "set", *who[2:], *written(tmp_path, passphrase))
    new_home("new")
    hort("recover", *who, *written(tmp_path, GOOD), code=Exit.WRONG_KEY)
    hort("recover", *who, *written(tmp_path, "kettle orbit mustard window"))
    new_home("another")
    hort("recover", *who, "--kit", "kit.txt")


def test_a_passphrase_that_was_removed_opens_nothing_and_the_kit_does(
    hort: Hort, who: list[str], tmp_path: Path, new_home: NewHome
) -> None:
    hort("passphrase", "set", *who[2:], *written(tmp_path, GOOD))
    new_home("new")
    hort("passphrase", "remove", *who)
    assert "has no passphrase" in hort("recover", *who, *written(tmp_path, GOOD), code=Exit.FAILED).err
    hort("recover", *who, "--kit", "kit.txt")


def test_nobody_sets_one_without_a_password_of_a_user(
    hort: Hort, who: list[str], tmp_path: Path, stand_in: StandIn
) -> None:
    """A stolen device must not open a way of its own."""
    stand_in.password = "another"
    hort("passphrase", "set", *who[2:], *written(tmp_path, GOOD), code=Exit.NOT_AUTHORISED)
    assert "passphrase" not in stand_in.slots


def test_a_weak_one_never_reaches_the_service(hort: Hort, who: list[str], tmp_path: Path, stand_in: StandIn) -> None:
    before = len(stand_in.requests)
    said = hort("passphrase", "set", *who[2:], *written(tmp_path, "Sommer2026!!"), code=Exit.USAGE)
    assert "is too weak" in said.err
    assert len(stand_in.requests) == before


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [
        ("password", "common"),
        ("passwordpassword", "Repeats"),
        ("a" * 500, "Repeats"),
        ("1234567890123456", "commonly used"),
        ("qwertzuiop123456", "Add another word"),
        ("anna", "Add another word"),
        ("", "10^"),
        ("k7#pQ2vLx9Zt", "Make it longer"),
    ],
)
def test_what_is_guessed_easily_is_refused_with_the_reason(passphrase: str, reason: str) -> None:
    with pytest.raises(Malformed, match="is too weak") as refused:
        refuse_if_weak(passphrase)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    "passphrase",
    [
        GOOD,
        "Der Apfel fällt nicht weit vom Stamm",
        "k7#pQ2vLx9Zt4Wm8",
        "".join(chr(0x4E00 + 37 * n) for n in range(200)),
    ],
)
def test_what_nobody_guesses_is_taken(passphrase: str) -> None:
    refuse_if_weak(passphrase)
