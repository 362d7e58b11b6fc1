"""Identities sort by time, survive every text form, and refuse what is none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.errors import Malformed
from shared.domain.ids import AccountId, DeviceId, Id, PackName, SessionId
from tests.domain import values

ONE_MILLISECOND = timedelta(milliseconds=1)
GOOD = SessionId.make(datetime(2026, 3, 1, tzinfo=UTC), bytes(range(10)))
PACK_ID = "ab" * 32


@given(values.moments, values.moments, values.entropies, values.entropies)
def test_ids_sort_by_the_time_they_were_made(one: datetime, other: datetime, a: bytes, b: bytes) -> None:
    early, late = sorted((one, other))
    if late - early >= ONE_MILLISECOND:
        assert Id.make(early, a) < Id.make(late, b)


@given(values.moments, values.entropies, values.entropies)
def test_other_entropy_makes_another_id(now: datetime, a: bytes, b: bytes) -> None:
    assert (Id.make(now, a) == Id.make(now, b)) == (a == b)


@given(values.sessions)
def test_an_id_survives_parsing_and_json(made: SessionId) -> None:
    adapter = TypeAdapter(SessionId)
    assert SessionId.parse(made) == made
    assert adapter.validate_json(adapter.dump_json(made)) == made
    assert type(adapter.validate_python(str(made))) is SessionId


def test_a_well_known_ulid_reads_as_the_specification_says() -> None:
    # The ULID specification's example timestamp 1469918176385 stands for 01ARYZ6S41.
    made = Id.make(datetime.fromtimestamp(1469918176.385, UTC), b"\xff" * 10)
    assert made == "01aryz6s41" + "z" * 16


@given(st.text(max_size=40))
@example("")
@example(GOOD.upper())
@example(GOOD[:-1])
@example(GOOD + "0")
@example(GOOD + "\n")
@example("8" + GOOD[1:])
@example(GOOD[:-1] + "u")
@example(GOOD[:-1] + "٣")
@example("../" + GOOD[3:])
def test_what_is_no_id_is_refused_and_named(text: str) -> None:
    with pytest.raises(Malformed, match="AccountId"):
        AccountId.parse(text)
    with pytest.raises(ValidationError):
        TypeAdapter(AccountId).validate_python(text)


def test_a_very_long_text_is_not_repeated_in_the_message() -> None:
    with pytest.raises(Malformed) as refused:
        DeviceId.parse("x" * 100_000)
    assert len(str(refused.value)) < 200


@given(values.packs)
def test_a_pack_name_survives_its_text(pack: PackName) -> None:
    assert PackName.parse(str(pack)) == pack


@pytest.mark.parametrize(
    "text",
    [
        PACK_ID,
        f"{GOOD}/{PACK_ID[1:]}",
        f"{GOOD}/{PACK_ID}0",
        f"{GOOD}/{PACK_ID}\n",
        f"{GOOD}/{PACK_ID.upper()}",
        f"{GOOD}/{GOOD}/{PACK_ID}",
        f"nobody/{PACK_ID}",
        f"/{PACK_ID}",
        f"{GOOD}/",
    ],
)
def test_what_is_no_pack_name_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        PackName.parse(text)
