"""Coming in by an enrolment code, and a certificate that renews itself before a backup (G8)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.certificates import RENEW_BEFORE, ends_at, is_due, request_for, thumbprint
from agent.cli.exits import Exit
from agent.config import Environment, Home
from shared.domain.errors import Malformed
from tests.agent.command_line import Hort, kit_of
from tests.agent.stand_in import Fault, How, StandIn
from tests.certificates import certified, csr

CODE = "abcde-fghjk-mnpqr-stuvw"
ALMOST_TWO_YEARS = timedelta(days=700)


@pytest.fixture
def home(tmp_path: Path, hort: Hort) -> Home:
    """The one of the `hort` that the test runs."""
    return Home.find(Environment(tmp_path / "home", None))


@pytest.fixture
def code(stand_in: StandIn) -> str:
    stand_in.codes[CODE] = None
    return CODE


def coming_in(stand_in: StandIn) -> list[str]:
    return ["--service", stand_in.url, "--code", CODE]


@pytest.mark.usefixtures("code")
def test_a_code_registers_a_device_without_a_password(hort: Hort, stand_in: StandIn, home: Home) -> None:
    joined = hort("register", *coming_in(stand_in), "--name", "laptop", "--json").document
    assert joined["device"] in stand_in.devices
    assert joined["account"] == stand_in.account
    assert home.certificate() == stand_in.devices[joined["device"]]["certificate"]
    assert "not-authorised" not in hort("status", "--json").out


@pytest.mark.usefixtures("code")
def test_a_new_device_recovers_with_a_code_and_the_kit(
    hort: Hort, stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hort("register", *coming_in(stand_in), "--json").document
    stand_in.codes["second"] = None
    monkeypatch.setenv("HORT_HOME", str(tmp_path / "new"))
    second = ["--service", stand_in.url, "--code", "second", "--kit", str(kit_of(tmp_path))]
    joined = hort("recover", *second, "--json").document
    assert joined["fingerprint"] == first["fingerprint"]
    assert joined["device"] != first["device"]


def test_a_code_that_is_not_known_is_not_authorised(hort: Hort, stand_in: StandIn) -> None:
    assert "enrolment code" in hort("register", *coming_in(stand_in), code=Exit.NOT_AUTHORISED).err


@pytest.mark.usefixtures("code")
@pytest.mark.parametrize("how", [How.RESET_AFTER, How.CUT_SHORT])
def test_a_lost_answer_to_a_code_uses_up_nothing(hort: Hort, stand_in: StandIn, how: How) -> None:
    stand_in.faults = [Fault("/enrolments", how)]
    hort("register", *coming_in(stand_in))
    assert len(stand_in.devices) == 1


@pytest.mark.usefixtures("code")
def test_a_try_that_ended_behind_the_code_is_taken_up(hort: Hort, stand_in: StandIn) -> None:
    stand_in.faults = [Fault("PUT /api/v1/accounts/", How.ANSWER, 401)] * 2
    hort("register", *coming_in(stand_in), code=Exit.NOT_AUTHORISED)
    hort("register", *coming_in(stand_in))
    assert len(stand_in.devices) == 1


def test_register_wants_a_login_or_a_code(hort: Hort, stand_in: StandIn) -> None:
    assert "--code" in hort("register", "--service", stand_in.url, code=Exit.USAGE).err


@pytest.mark.usefixtures("code")
def test_a_certificate_is_renewed_before_a_backup_when_it_is_due(
    hort: Hort, stand_in: StandIn, home: Home, source: Path
) -> None:
    stand_in.certified_at = datetime.now(UTC) - ALMOST_TWO_YEARS
    hort("register", *coming_in(stand_in))
    old, key = home.certificate(), home.device_key()
    assert old is not None
    hort("backup", str(source))
    new = home.certificate()
    assert new is not None
    assert ends_at(new) > ends_at(old)
    assert key is not None
    assert request_for(key) == csr(home.device_key()), "the key stays"
    hort("backup", str(source))
    assert stand_in.count("/certificates") == 1, "the new one is not due"
    assert home.certificate() == new


@pytest.mark.usefixtures("code")
def test_a_certificate_that_is_not_due_is_left_alone(hort: Hort, stand_in: StandIn, source: Path) -> None:
    hort("register", *coming_in(stand_in))
    hort("backup", str(source))
    assert stand_in.count("/certificates") == 0


@pytest.mark.usefixtures("code")
@pytest.mark.parametrize("status", [409, 500, 503])
def test_a_renewal_that_fails_stops_no_backup(
    hort: Hort, stand_in: StandIn, home: Home, source: Path, status: int
) -> None:
    stand_in.certified_at = datetime.now(UTC) - ALMOST_TWO_YEARS
    hort("register", *coming_in(stand_in))
    old = home.certificate()
    stand_in.faults = [Fault("/certificates", How.ANSWER, status)] * 50
    hort("backup", str(source))
    assert home.certificate() == old
    stand_in.faults = []
    hort("backup", str(source))
    assert home.certificate() != old


@pytest.mark.usefixtures("code")
def test_a_lost_certificate_is_a_sentence(hort: Hort, stand_in: StandIn, home: Home) -> None:
    hort("register", *coming_in(stand_in))
    (home.config / "device.crt").unlink()
    assert "certificate" in hort("snapshots", code=Exit.FAILED).err


def test_a_request_is_the_same_for_the_same_key_so_that_it_may_be_repeated() -> None:
    key = Ed25519PrivateKey.generate()
    assert request_for(key) == request_for(key)
    assert request_for(key) != request_for(Ed25519PrivateKey.generate())


def test_due_means_the_last_sixty_days() -> None:
    pem = certified(csr(), datetime(2026, 1, 1, tzinfo=UTC))
    due = ends_at(pem) - RENEW_BEFORE
    assert is_due(pem, due)
    assert not is_due(pem, due - timedelta(seconds=1))


@pytest.mark.parametrize("pem", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_is_none_is_a_sentence(pem: str) -> None:
    for reader in (thumbprint, ends_at):
        with pytest.raises(Malformed, match="certificate"):
            reader(pem)
