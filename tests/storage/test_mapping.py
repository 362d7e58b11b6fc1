"""Every mapper gives back what it was given, through a real table."""

# pyright: reportUnknownMemberType=false
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from azure.data.tables import TableClient, TableServiceClient, UpdateMode
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from localhost.azurite import Azurite
from shared.domain.audit import Record
from shared.domain.commits import Hold, Snapshot, Statistics, VaultState
from shared.domain.deletions import Deletion, SweepReport
from shared.domain.enrolment import EnrolmentCode
from shared.domain.families import Family, FamilyState
from shared.domain.ids import AccountId
from shared.domain.incidents import Incident
from shared.domain.inspections import Inspection
from shared.domain.lockout import Tally
from shared.domain.policy_changes import PendingChange, Retention
from shared.domain.prices import Charge
from shared.domain.seeding import Progress, Seeding
from shared.domain.sessions import BackupSession
from shared.domain.tenancy import Account, Customer, Device, User, UserState
from shared.services import TABLES
from shared.storage import audit, deletions, enrolment, incidents, records, slots, tenants, users, vaults
from shared.storage.mapping import Mapper
from shared.storage.tables import Table
from tests.domain import points, values

INT64 = st.integers(-(2**63), 2**63 - 1)
# No surrogates: no JSON of any caller can bring them. NUL and lone CR are for the table to keep.
texts = st.text(max_size=60)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789.@_+-", min_size=1, max_size=60)
COUNTS = ("packs", "stored_bytes", "new_packs", "new_stored_bytes", "index_segments")
DRILLED = ("files", "logical_bytes", "read_bytes", "troubles")
statistics = st.builds(
    Statistics, files=values.sizes, logical_bytes=values.sizes, sent_bytes=values.sizes, seconds=st.floats(0, 1e12)
)
holds = st.lists(st.builds(Hold, reason=texts), max_size=3).map(tuple)
changes = st.builds(PendingChange, policies=points.whole_policies)
MAPPERS: list[tuple[Mapper[Any], st.SearchStrategy[Any]]] = [
    (tenants.CUSTOMERS, st.builds(Customer, name=texts, service_began_at=st.none() | values.moments)),
    (tenants.ACCOUNTS, st.builds(Account, name=texts, grants=INT64)),
    (tenants.DEVICES, st.builds(Device, name=texts, platform=texts, public_key=st.binary(max_size=64), epoch=INT64)),
    (slots.SLOTS, st.builds(slots.KeptSlot, name=names, tag=names, key_version=names, body=st.binary(max_size=4112))),
    (slots.ACCOUNT_KEYS, st.builds(slots.AccountKey, version=names)),
    (
        users.USERS,
        st.builds(
            User,
            name=texts,
            login=texts,
            password_hash=texts,
            state=st.sampled_from(UserState),
            epoch=INT64,
            must_change_password=st.booleans(),
            delivered_at=st.none() | values.moments,
        ),
    ),
    (users.LOGINS, st.builds(users.Login, name=names, tenant=texts)),
    (
        users.FAMILIES,
        st.builds(
            Family,
            epoch=INT64,
            secret_sha256=names,
            previous_sha256=st.none() | names,
            state=st.sampled_from(FamilyState),
        ),
    ),
    (users.TALLIES, st.builds(Tally, subject=names, failures=INT64)),
    (enrolment.CODES, st.builds(EnrolmentCode, sha256=names)),
    (enrolment.CODE_NAMES, st.builds(enrolment.CodeName, sha256=names)),
    (enrolment.REVOCATIONS, st.from_type(enrolment.Revocation)),
    (enrolment.CHARGES, st.builds(Charge, amount_eur=st.decimals(0, 10**9, places=2))),
    (deletions.DELETIONS, st.builds(Deletion, name=names, objects=INT64, stored_bytes=INT64, reason=texts)),
    (deletions.SWEEPS, st.builds(SweepReport, skipped=st.lists(texts, max_size=3).map(tuple))),
    (
        deletions.INSPECTIONS,
        st.builds(Inspection, objects=INT64, stored_bytes=INT64, faults=st.lists(texts, max_size=3).map(tuple)),
    ),
    (incidents.INCIDENTS, st.builds(Incident, by=texts, note=texts)),
    (vaults.STATES, st.builds(VaultState, epoch=INT64, deleted=st.none() | names, catalogue=st.none() | names)),
    (vaults.SESSIONS, st.builds(BackupSession, epoch=INT64)),
    (
        vaults.SNAPSHOTS,
        st.builds(Snapshot, **dict.fromkeys(COUNTS, INT64), statistics=statistics, pinned=st.booleans(), holds=holds),
    ),
    (vaults.RETENTIONS, st.builds(Retention, policies=points.whole_policies, pending=st.none() | changes)),
    (audit.HEADS, st.builds(audit.Head, tenant=names, number=INT64, hash=names)),
    (audit.RECORDS, st.builds(audit.Kept, tenant=names, record=st.builds(Record, number=st.integers(1, 10**12 - 1)))),
    (records.RESTORES, st.from_type(records.RestoreSession)),
    (records.SEEDINGS, st.builds(Seeding, reminders=INT64)),
    (records.RESERVATIONS, st.builds(records.Reservation, caller=names, key_sha256=names, identity=texts)),
    (
        records.DRILLS,
        st.builds(records.Drill, **dict.fromkeys(DRILLED, INT64), seconds=st.floats(0, 1e12)),
    ),
    (records.ASSERTIONS, st.builds(records.UsedAssertion, jti=names)),
]
IDS = [mapper.kind.__name__ for mapper, _ in MAPPERS]


@pytest.fixture(scope="module")
def scratch(azurite: Azurite) -> Iterator[TableClient]:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service.create_table_if_not_exists("mappingtest")


def through(client: TableClient, mapper: Mapper[Any], value: Any) -> Any:
    client.upsert_entity(mapper.to_entity(value), mode=UpdateMode.REPLACE)
    stored = Table(client, mapper).get(*(str(part) for part in mapper.key(value)))
    assert stored is not None
    return stored.value


def test_every_table_of_the_service_is_tested_here() -> None:
    assert {mapper.table for mapper, _ in MAPPERS} == TABLES


@pytest.mark.parametrize(("mapper", "strategy"), MAPPERS, ids=IDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_stored_comes_back_the_same(
    scratch: TableClient, mapper: Mapper[Any], strategy: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(strategy)
    back = through(scratch, mapper, value)
    assert back == value
    assert kinds_of(back) == kinds_of(value), "an id stays the kind of id it was"


def kinds_of(value: Any) -> dict[str, type]:
    return {field.name: type(getattr(value, field.name)) for field in fields(value)}


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Everything:
    """One column of every kind that a mapper knows."""

    key: AccountId
    number: int
    real: float
    flag: bool
    at: datetime
    raw: bytes
    text: str
    colour: Colour
    maybe_number: int | None
    maybe_at: datetime | None
    maybe_text: str | None
    nested: Progress
    many: tuple[AccountId, ...]
    with_default: Progress = Progress()
    by_name: dict[str, int] = field(default_factory=dict[str, int])


EVERYTHING = Mapper("everything", Everything, key=lambda value: (value.key, "row"))
everything = st.builds(
    Everything,
    number=INT64,
    real=st.floats(allow_nan=False, allow_infinity=False),
    raw=st.binary(max_size=200),
    text=texts,
    maybe_number=st.none() | INT64,
    maybe_text=st.none() | texts,
    nested=st.builds(Progress, values.sizes, values.sizes),
    many=st.lists(values.accounts, max_size=3).map(tuple),
    by_name=st.dictionaries(texts, st.integers(), max_size=3),
)
PLAIN = Everything(
    key=AccountId.make(datetime(2026, 3, 1, tzinfo=UTC), bytes(10)),
    number=2**63 - 1,
    real=3.0,
    flag=True,
    at=datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=5))),
    raw=b"",
    text="",
    colour=Colour.RED,
    maybe_number=None,
    maybe_at=None,
    maybe_text="",
    nested=Progress(2**40, 2**40),
    many=(),
)


@settings(max_examples=60, deadline=None)
@given(everything)
@example(PLAIN)
def test_every_kind_of_column_survives(scratch: TableClient, value: Everything) -> None:
    back = through(scratch, EVERYTHING, value)
    assert back == value
    assert back.at.tzinfo is UTC
    assert (back.maybe_text is None) == (value.maybe_text is None), "an empty text is not an absent one"


def test_a_column_that_older_rows_do_not_have_takes_its_default() -> None:
    entity = EVERYTHING.to_entity(PLAIN)
    del entity["with_default"], entity["by_name"]
    assert EVERYTHING.from_entity(entity) == PLAIN


def test_a_column_that_a_newer_version_wrote_does_not_disturb() -> None:
    assert EVERYTHING.from_entity({**EVERYTHING.to_entity(PLAIN), "of_tomorrow": "x"}) == PLAIN


def test_a_row_without_a_column_that_it_must_have_is_refused() -> None:
    entity = EVERYTHING.to_entity(PLAIN)
    del entity["colour"]
    with pytest.raises(ValueError, match="colour"):
        EVERYTHING.from_entity(entity)
