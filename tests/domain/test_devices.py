"""Devices and their certificates: what proves a device, when it may renew, and that revoked means for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.certificates import Certificate, NotDue, refuse_if_not_due, renewable_from, two_years_after
from shared.domain.devices import DeviceRevoked, logged_out, proven_by, recertified, revoked
from shared.domain.errors import NotAuthenticated
from shared.domain.ids import AccountId, CertificateId, CustomerId, DeviceId
from shared.domain.tenancy import Device, DeviceState
from tests.domain import values

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def certificate(number: int = 0, start: datetime = NOW) -> Certificate:
    identity = CertificateId.make(start, number.to_bytes(10))
    return Certificate(identity, f"thumbprint-{number}", start, two_years_after(start), "pem")


def device(*certificates: Certificate) -> Device:
    return Device(
        id=DeviceId.make(NOW, bytes(10)),
        account=AccountId.make(NOW, bytes(10)),
        customer=CustomerId.make(NOW, bytes(10)),
        name="laptop",
        platform="linux",
        public_key=bytes(32),
        certificates=certificates or (certificate(),),
        registered_at=NOW,
    )


@given(values.moments)
def test_a_certificate_lasts_two_years_to_the_day(start: datetime) -> None:
    end = two_years_after(start)
    assert end.year == start.year + 2
    assert (end.month, end.day) in {(start.month, start.day), (2, 28)}
    assert end.timetz() == start.timetz()


@given(values.moments, st.timedeltas(-800 * DAY, 800 * DAY))
def test_a_certificate_is_renewed_in_its_last_sixty_days_and_not_before(start: datetime, after: timedelta) -> None:
    mine = certificate(start=start)
    now = mine.not_after + after
    if now >= mine.not_after - 60 * DAY:
        refuse_if_not_due(mine, now)
    else:
        with pytest.raises(NotDue, match=str(renewable_from(mine).date())):
            refuse_if_not_due(mine, now)


@given(st.timedeltas(timedelta(0), 900 * DAY))
def test_a_device_is_proven_from_the_first_moment_of_its_certificate_to_before_the_last(after: timedelta) -> None:
    mine, now = certificate(), NOW + after
    if now < mine.not_after:
        assert proven_by(device(mine), mine.thumbprint, now) == mine
    else:
        with pytest.raises(NotAuthenticated, match="is good from"):
            proven_by(device(mine), mine.thumbprint, now)


@pytest.mark.parametrize("named", [None, "", "thumbprint-9", 7, ["thumbprint-0"]])
def test_a_certificate_that_is_not_the_devices_proves_nothing(named: object) -> None:
    with pytest.raises(NotAuthenticated, match="x5t#S256"):
        proven_by(device(), named, NOW)


def test_the_certificate_before_the_newest_still_proves_and_older_ones_do_not() -> None:
    """The answer to a renewal may get lost: the device must not be locked out by it."""
    renewed = recertified(recertified(device(), certificate(1), b"1" * 32), certificate(2), b"2" * 32)
    assert renewed.public_key == b"2" * 32
    for number in (2, 1):
        assert proven_by(renewed, f"thumbprint-{number}", NOW) == certificate(number)
    with pytest.raises(NotAuthenticated):
        proven_by(renewed, "thumbprint-0", NOW)


def test_revoked_is_for_ever() -> None:
    gone = revoked(device(), NOW)
    assert (gone.state, gone.revoked_at, gone.epoch) == (DeviceState.REVOKED, NOW, 1)
    with pytest.raises(NotAuthenticated, match="revoked"):
        proven_by(gone, "thumbprint-0", NOW)
    with pytest.raises(DeviceRevoked):
        recertified(gone, certificate(1), bytes(32))
    with pytest.raises(DeviceRevoked):
        revoked(gone, NOW + DAY)


@given(st.integers(0, 2**40))
def test_whatever_ends_tokens_ends_those_of_every_epoch_before(epoch: int) -> None:
    before = replace(device(), epoch=epoch)
    assert logged_out(before).epoch == revoked(before, NOW).epoch == epoch + 1
    assert logged_out(before).state is DeviceState.ACTIVE


@given(values.ids(CertificateId), values.ids(CertificateId))
def test_every_certificate_has_a_serial_number_of_its_own(one: CertificateId, other: CertificateId) -> None:
    assume(one != other)
    assert one.serial_number != other.serial_number
    assert 0 < one.serial_number < 2**159  # RFC 5280 §4.1.2.2: positive, at most 20 octets
